"""Statistics over seeds and tasks: means, profiles, improvement, and their bootstrap intervals.

After Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice"
(NeurIPS 2021). For five seeds or more; below that, show every seed and no interval. Wilson's
interval is for the share of one run's episodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """Wilson's score interval of a probability, from `successes` of `trials` (1 or more).

    Unlike the normal approximation it is no point where all or none succeed.
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, spread = successes / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt((share * (1 - share) + spread / 4) / trials) / (1 + spread)
    low = float(middle - half) if successes else 0.0
    return Interval(low, float(middle + half) if successes < trials else 1.0)


def stratified_bootstrap(
    tasks: Sequence[Array],
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
        tasks: the scores of each task's runs, (runs,).
        statistic: over the last axis; gets (resamples, runs of all tasks).
        generator: of the resamples.
        resamples: how many.
        level: of confidence.
    """
    drawn = np.concatenate([_drawn(task, generator, resamples) for task in tasks], axis=1)
    return _interval(statistic(drawn), level)


def performance_profile(
    tasks: Sequence[Array], thresholds: Array, *, generator: np.random.Generator
) -> tuple[Array, Array, Array]:
    """The share of runs, of all tasks, whose score is above each threshold.

    Args:
        tasks: the scores of each task's runs, (runs,).
        thresholds: (T,).
        generator: of the resamples of the 95 % band, each threshold by itself.

    Returns:
        Shares (T,), and the low and high ends of their band (T,).
    """
    pooled = np.concatenate(list(tasks))
    drawn = np.concatenate([_drawn(task, generator, RESAMPLES) for task in tasks], axis=1)
    shares = np.array([(drawn > threshold).mean(axis=1) for threshold in thresholds])
    low, high = np.quantile(shares, [0.025, 0.975], axis=1)
    return (pooled > thresholds[:, None]).mean(axis=1), low, high


def probability_of_improvement(
    one: Sequence[Array], other: Sequence[Array], *, generator: np.random.Generator
) -> tuple[float, Interval]:
    """How probably a run of one method scores above one of another, over tasks that both have.

    On a task it is the Mann-Whitney statistic over the number of pairs, where a tie counts half;
    tasks count equally.

    Args:
        one: scores (runs,) of the first method by task.
        other: of the second, on the same tasks in the same order.
        generator: of the resamples.

    Returns:
        The probability, and its 95 % interval.
    """
    pairs = list(zip(one, other, strict=True))
    middle = np.mean([_above(x[None], y[None])[0] for x, y in pairs])
    resampled = [
        _above(_drawn(x, generator, RESAMPLES), _drawn(y, generator, RESAMPLES)) for x, y in pairs
    ]
    return float(middle), _interval(np.mean(resampled, axis=0), 0.95)


def _above(x: Array, y: Array) -> Array:
    """The share of pairs in which x (R, n) is above y (R, m), ties counted half: (R,)."""
    difference = x[:, :, None] - y[:, None, :]
    return ((difference > 0) + 0.5 * (difference == 0)).mean(axis=(1, 2))


def _drawn(scores: Array, generator: np.random.Generator, resamples: int) -> Array:
    """Scores (runs,) drawn with replacement: (resamples, runs)."""
    return scores[generator.integers(len(scores), size=(resamples, len(scores)))]


def _interval(values: Array, level: float) -> Interval:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
