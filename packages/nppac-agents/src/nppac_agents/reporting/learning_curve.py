"""What one run's curve of evaluations comes to, as a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nppac_agents.reporting.compared_runs import ComparedRun

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CurveSummary:
    """A curve that is linear between its evaluations; None where it has too few of them.

    Attributes:
        first: the untrained policy's, which for a policy that starts at the prior is the prior's.
        last: the last evaluation's.
        area: below the curve, over the steps from first to last: its mean level.
        regret: the area by which the curve lies below its own start, over the same steps.
        steps_to_half: until 50 % success at any step; None where it is never reached.
        steps_to_ninety: until 90 %.
    """

    first: float | None
    last: float | None
    area: float | None
    regret: float | None
    steps_to_half: int | None
    steps_to_ninety: int | None


def summarise(run: ComparedRun, measure: str) -> CurveSummary:
    """The numbers of a run in one measure; success is always that at any step.

    Args:
        run: of any length.
        measure: a field of an evaluation.
    """
    progress = run.progress
    curve, success = run.curve(measure, progress), run.curve("success_ever", progress)
    steps = np.array(list(curve), dtype=np.float64)
    values = np.array(list(curve.values()), dtype=np.float64)
    enough = len(steps) > 1
    return CurveSummary(
        first=float(values[0]) if len(values) else None,
        last=float(values[-1]) if len(values) else None,
        area=mean_level(steps, values) if enough else None,
        regret=mean_level(steps, values[0] - values, positive=True) if enough else None,
        steps_to_half=_first_at(success, 0.5),
        steps_to_ninety=_first_at(success, 0.9),
    )


def mean_level(steps: Array, values: Array, *, positive: bool = False) -> float:
    """The mean over the steps of a curve that is linear between its points.

    Args:
        steps: (T,), growing, two or more.
        values: (T,).
        positive: of its positive part alone.
    """
    width = np.diff(steps)
    left, right = values[:-1], values[1:]
    areas = width * (left + right) / 2
    if positive:
        high, low = np.maximum(left, right), np.minimum(left, right)
        crosses = (high > 0) & (low < 0)
        spread = np.where(crosses, high - low, 1.0)
        areas = np.where(crosses, width * high**2 / (2 * spread), np.maximum(areas, 0.0))
    return float(areas.sum() / width.sum())


def _first_at(curve: Mapping[float, float], level: float) -> int | None:
    return next((int(step) for step, value in curve.items() if value >= level), None)
