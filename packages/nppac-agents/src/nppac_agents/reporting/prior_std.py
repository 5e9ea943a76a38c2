"""How a prior's standard deviation changes with the distance from its demonstrations.

The paper's pathology in one curve: a prior cloned by maximum likelihood loses its standard
deviation away from the data, a Gaussian process regains that of its kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from nppac_priors import GaussianPrior

Array = NDArray[np.float64]

SCALES = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Standard deviations of the noise, in standard deviations of the demonstrations."""
STATES_PER_SCALE = 140
BINS_PER_DECADE = 4
SMALLEST_BIN = 10
"""Fewer states than this make no percentile."""
_DISTANCES_AT_ONCE = 2**22


def prior_std_curve(
    prior: GaussianPrior, states: NDArray[np.floating], *, generator: torch.Generator
) -> dict[str, Any]:
    """The prior's standard deviation on the demonstrations and away from them.

    Demonstration states are moved by Gaussian noise of growing scale; each is then filed under its
    *measured* distance: Euclidean, to the nearest demonstration state, with every dimension divided
    by its standard deviation over the demonstrations. Dimensions that are constant there stay as
    they are. Costs 1,960 evaluations of the prior, whatever its data.

    Args:
        prior: fitted.
        states: (N, S), the demonstrations that it was fitted to.
        generator: a CPU generator, for the noise.

    Returns:
        JSON: parallel lists `distance` (0 first, then the geometric means of logarithmic bins),
        `mean_std`, `p10`, `p90` (over states, of the mean standard deviation over action
        dimensions, in the policy space) and `n` (states); `on_data_median`; `dimensions` (those
        that count).

    Raises:
        DataError: `states` do not fit the prior.
        NumericalError: the prior is not finite somewhere.
    """
    states = np.asarray(states, dtype=np.float64)
    spread = states.std(axis=0)
    moving = spread > 1e-6 * np.abs(states).max(axis=0)
    moved = _moved_states(states, np.where(moving, spread, 0.0), generator)
    _, std = prior.moments(moved.astype(np.float32))
    state_std = std.double().mean(dim=1).cpu().numpy()
    scaled = spread[moving]
    distance = _nearest_distance(moved[:, moving] / scaled, states[:, moving] / scaled)
    on_data = np.arange(len(moved)) < STATES_PER_SCALE
    rows = [_row(distance[group], state_std[group]) for group in _groups(distance, on_data)]
    return {
        **{name: [row[name] for row in rows] for name in rows[0]},
        "on_data_median": float(np.median(state_std[on_data])),
        "dimensions": int(moving.sum()),
    }


def _moved_states(states: Array, spread: Array, generator: torch.Generator) -> Array:
    """(scales * STATES_PER_SCALE, S); the first STATES_PER_SCALE are demonstration states."""
    import torch

    shape = (len(SCALES), STATES_PER_SCALE)
    rows = torch.randint(len(states), shape, generator=generator).numpy()
    noise = torch.randn((*shape, states.shape[1]), generator=generator, dtype=torch.float64).numpy()
    scales = np.array(SCALES)[:, None, None]
    return (states[rows] + scales * spread * noise).reshape(-1, states.shape[1])


def _nearest_distance(queries: Array, points: Array) -> Array:
    """Distance (Q,) from each query (Q, D) to the nearest point (N, D), exact where it is 0 too."""
    squares = np.square(points).sum(axis=1)
    chunks = max(1, len(queries) * len(points) // _DISTANCES_AT_ONCE)
    nearest = np.concatenate(
        [
            np.argmin(squares - 2.0 * chunk @ points.T, axis=1)
            for chunk in np.array_split(queries, chunks)
        ]
    )
    return np.linalg.norm(queries - points[nearest], axis=1)


def _groups(distance: Array, on_data: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The states on the data, then those of each logarithmic bin of distance that has enough."""
    away = ~on_data & (distance > 0)
    groups = [on_data]
    if away.any():
        bins = np.full(len(distance), np.iinfo(np.int64).min)
        bins[away] = np.floor(np.log10(distance[away]) * BINS_PER_DECADE).astype(np.int64)
        groups += [bins == index for index in np.unique(bins[away])]
    return groups[:1] + [group for group in groups[1:] if group.sum() >= SMALLEST_BIN]


def _row(distance: Array, std: Array) -> dict[str, float]:
    p10, p90 = np.quantile(std, (0.1, 0.9))
    middle = np.exp(np.log(distance).mean()) if distance.all() else 0.0
    return {
        "distance": float(middle),
        "mean_std": float(std.mean()),
        "p10": float(p10),
        "p90": float(p90),
        "n": len(std),
    }
