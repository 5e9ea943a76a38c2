"""Statistics over seeds: mean, interquartile mean, and their stratified bootstrap intervals.

After Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice"
(NeurIPS 2021). For five seeds or more; below that, show every seed and no interval. Wilson's
interval is for the share of one run's episodes.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ENOUGH_SEEDS = 5
RESAMPLES = 2000


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def mean(scores: Array) -> Array:
    """Mean over the last axis."""
    return scores.mean(axis=-1)


def interquartile_mean(scores: Array) -> Array:
    """Mean of the middle half over the last axis: floor(n / 4) of n values fall off at each end."""
    n = scores.shape[-1]
    dropped = n // 4
    return np.sort(scores, axis=-1)[..., dropped : n - dropped].mean(axis=-1)


def wilson(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval of a probability, from ``successes`` of ``trials`` (1 or more).

    Unlike the normal approximation it is no point where all or none succeed.
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, spread = successes / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt((share * (1 - share) + spread / 4) / trials) / (1 + spread)
    low = float(middle - half) if successes else 0.0
    return Interval(low, float(middle + half) if successes < trials else 1.0)


def stratified_bootstrap(
    scores: Array,
    statistic: Callable[[Array], Any],
    *,
    generator: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = 0.95,
) -> Interval:
    """A percentile interval of a statistic over runs and tasks.

    Runs are drawn with replacement within each task, so that every task stays in every resample as
    often as it was measured.

    Args:
        scores: (runs, tasks).
        statistic: over the last axis; gets (resamples, runs * tasks).
        generator: of the resamples.
        resamples: how many.
        level: of confidence.
    """
    runs, tasks = scores.shape
    rows = generator.integers(runs, size=(resamples, runs, tasks))
    drawn = scores[rows, np.arange(tasks)].reshape(resamples, runs * tasks)
    low, high = np.quantile(statistic(drawn), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
