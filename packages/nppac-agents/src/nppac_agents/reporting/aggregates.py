"""Methods over several tasks: interquartile mean, profile of runs, probability of improvement.

After Agarwal et al. (NeurIPS 2021). For shares in [0, 1], which have one unit on all tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from nppac_priors.drawing.panels import Curve, Panel
from nppac_priors.drawing.style import series
from numpy.typing import NDArray

from nppac_agents.reporting.measures import Measure
from nppac_agents.reporting.statistics import (
    ENOUGH_SEEDS,
    Interval,
    interquartile_mean,
    performance_profile,
    probability_of_improvement,
    stratified_bootstrap,
)
from nppac_agents.reporting.tasks import Task

Scores = dict[str, dict[str, NDArray[np.float64]]]
"""Last values, (runs,), by method and task."""


def last_scores(tasks: Sequence[Task], measure: str) -> Scores:
    """The last evaluation of every run; a run without the measure is left out."""
    scores: Scores = {}
    for task in tasks:
        for method, runs in task.runs.items():
            values = [run.evaluations[-1].get(measure) for run in runs]
            known = np.array([value for value in values if value is not None], dtype=np.float64)
            if known.size:
                scores.setdefault(method, {})[task.name] = known
    return scores


@dataclass(frozen=True)
class Aggregate:
    """One method over its tasks; `interval` is None where a task has too few seeds for one."""

    tasks: int
    runs: int
    interquartile_mean: float
    interval: Interval | None


def aggregate(scores: Mapping[str, NDArray[np.float64]]) -> Aggregate:
    """The interquartile mean over all runs of a method, which stands by task."""
    pooled = np.concatenate(list(scores.values()))
    return Aggregate(
        len(scores),
        pooled.size,
        float(interquartile_mean(pooled)),
        stratified_bootstrap(
            list(scores.values()), interquartile_mean, generator=np.random.default_rng(0)
        )
        if _enough(scores)
        else None,
    )


def improvements(scores: Scores) -> dict[tuple[str, str], tuple[float, Interval | None, int]]:
    """For every ordered pair of methods with common tasks: probability, interval, their number."""
    found: dict[tuple[str, str], tuple[float, Interval | None, int]] = {}
    for one, ours in scores.items():
        for other, theirs in scores.items():
            common = [task for task in ours if task in theirs]
            if one == other or not common:
                continue
            pair = [ours[task] for task in common], [theirs[task] for task in common]
            value, interval = probability_of_improvement(*pair, generator=np.random.default_rng(0))
            sure = all(len(values) >= ENOUGH_SEEDS for side in pair for values in side)
            found[one, other] = value, interval if sure else None, len(common)
    return found


def profile_panel(scores: Scores, measure: Measure, size: tuple[float, float]) -> Panel:
    """The share of runs above each score, one curve a method; a band where seeds allow."""
    thresholds = np.linspace(0.0, 1.0, 101)
    curves = []
    for colour, (method, by_task) in zip(series(len(scores)), scores.items(), strict=True):
        tasks, generator = list(by_task.values()), np.random.default_rng(0)
        shares, low, high = performance_profile(tasks, thresholds, generator=generator)
        band = (low, high) if _enough(by_task) else (None, None)
        curves.append(Curve(thresholds, shares, colour, method, *band))
    return Panel(
        "profile",
        "Performance profile",
        f"share of runs above; {measure.title.lower()}",
        "score",
        curves,
        limits=(0.0, 1.0),
        size=size,
    )


def _enough(scores: Mapping[str, NDArray[np.float64]]) -> bool:
    return all(len(values) >= ENOUGH_SEEDS for values in scores.values())
