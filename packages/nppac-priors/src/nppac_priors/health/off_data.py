"""How a prior's standard deviation changes with the distance from its demonstrations.

The paper's pathology in one curve: a prior cloned by maximum likelihood loses its standard
deviation away from the data, a Gaussian process regains that of its kernel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nppac_priors.health.probes import Probes

Array = NDArray[np.float64]

BINS_PER_DECADE = 3
SMALLEST_BIN = 10
"""Fewer states than this make no percentile."""


@dataclass(frozen=True)
class DistanceCurve:
    """Standard deviation against distance, by logarithmic bins; the data themselves come first.

    Attributes:
        distance: Geometric mean of each bin; 0 first.
        mean_std: Mean over states of their standard deviation (the mean over action dimensions).
        p10: 10th percentile over states.
        p90: 90th percentile over states.
        states: Number of states in the bin.
    """

    distance: tuple[float, ...]
    mean_std: tuple[float, ...]
    p10: tuple[float, ...]
    p90: tuple[float, ...]
    states: tuple[int, ...]


@dataclass(frozen=True)
class OffData:
    """What a prior claims where it has no data. A state's std is the mean over action dimensions.

    Attributes:
        on_data_mean_std: Mean std over demonstration states.
        on_data_median_std: Median std over demonstration states.
        off_data_median_std: Median std over the states off the data.
        growth_ratio: The last divided by the one before.
        collapse_score: Share of the states off the data whose std is below the on-data median.
        off_data_from: States farther from the demonstrations than this are off the data.
        off_data_states: How many these are.
        curve: Std against distance.
    """

    on_data_mean_std: float
    on_data_median_std: float
    off_data_median_std: float
    growth_ratio: float
    collapse_score: float
    off_data_from: float
    off_data_states: int
    curve: DistanceCurve


def off_data(state_std: Array, probes: Probes, off_data_from: float) -> OffData:
    """Measure what a prior claims away from the data.

    Args:
        state_std: (M,), the prior's std at the probes, averaged over action dimensions.
        probes: Where it was asked.
        off_data_from: Distance at which a state is off the data.
    """
    on, off = state_std[probes.on_data], state_std[is_off_data(probes, off_data_from)]
    median = float(np.median(on))
    return OffData(
        on_data_mean_std=float(on.mean()),
        on_data_median_std=median,
        off_data_median_std=float(np.median(off)),
        growth_ratio=float(np.median(off)) / median,
        collapse_score=float((off < median).mean()),
        off_data_from=off_data_from,
        off_data_states=len(off),
        curve=std_by_distance(state_std, probes),
    )


def is_off_data(probes: Probes, off_data_from: float) -> NDArray[np.bool_]:
    """Which probes (M,) count as off the data."""
    return ~probes.on_data & (probes.distance > off_data_from)


def std_by_distance(state_std: Array, probes: Probes) -> DistanceCurve:
    """Bin the standard deviations (M,) by the distances of the probes."""
    groups = _groups(probes.distance, probes.on_data)
    quantiles = [np.quantile(state_std[group], (0.1, 0.9)) for group in groups]
    return DistanceCurve(
        distance=tuple(_middle(probes.distance[group]) for group in groups),
        mean_std=tuple(float(state_std[group].mean()) for group in groups),
        p10=tuple(float(low) for low, _ in quantiles),
        p90=tuple(float(high) for _, high in quantiles),
        states=tuple(int(group.sum()) for group in groups),
    )


def _groups(distance: Array, on_data: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The states on the data, then those of each logarithmic bin of distance that has enough."""
    away = ~on_data & (distance > 0)
    groups = [on_data]
    if away.any():
        bins = np.full(len(distance), np.iinfo(np.int64).min)
        bins[away] = np.floor(np.log10(distance[away]) * BINS_PER_DECADE).astype(np.int64)
        groups += [bins == index for index in np.unique(bins[away])]
    return groups[:1] + [group for group in groups[1:] if group.sum() >= SMALLEST_BIN]


def _middle(distance: Array) -> float:
    return float(np.exp(np.log(distance).mean())) if distance.all() else 0.0
