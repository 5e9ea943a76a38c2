"""Predictive variance over the plane of the first two principal components of the demonstrations.

The paper's Figures 1, 5, 6, 7 and 8. Components are those of the standardised states, so that units
do not matter; a point of the plane is the mean demonstration state, moved along the two components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nppac_priors.health.moments import moments
from nppac_priors.prior import Prior
from nppac_priors.state_scale import StateScale

Array = NDArray[np.float64]

COLUMNS, ROWS = 72, 54
_MARGIN = 0.4
"""The plane reaches this share of the demonstrations' extent beyond them, on each side."""


@dataclass(frozen=True, eq=False)
class Plane:
    """Where the plane lies, and the demonstrations on it.

    Attributes:
        x: (COLUMNS,) first component, ascending.
        y: (ROWS,) second component, ascending.
        states: (ROWS * COLUMNS, S) float32, row by row.
        paths: For each episode, (steps, 2): its states' components.
        explained: Share of the standardised variance along each of the two components.
    """

    x: Array
    y: Array
    states: NDArray[np.float32]
    paths: tuple[Array, ...]
    explained: tuple[float, float]


def make_plane(states: NDArray[np.float32], episode_lengths: NDArray[np.int64]) -> Plane:
    """The plane of demonstrations (N, S) that are made of episodes.

    One dimension that varies is enough; the second component is then zero everywhere.
    """
    values = np.asarray(states, dtype=np.float64)
    found = StateScale.of([torch.from_numpy(values)])
    mean, spread = found.mean.numpy(), found.spread.numpy()
    scaled = np.divide(values - mean, spread, out=np.zeros_like(values), where=spread > 0)
    variances, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    axes = np.zeros((values.shape[1], 2))
    axes[:, : vectors.shape[1]] = _fixed_sign(vectors[:, ::-1][:, :2])
    points = scaled @ axes
    x, y = (_ticks(points[:, i], count) for i, count in enumerate((COLUMNS, ROWS)))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    moved = mean + grid @ axes.T * spread
    ends = np.cumsum(episode_lengths)[:-1]
    shares = np.append(variances[::-1], 0.0)[:2] / variances.sum()
    return Plane(
        x, y, moved.astype(np.float32), tuple(np.split(points, ends)), tuple(shares.tolist())
    )


def variance_on(plane: Plane, prior: Prior) -> Array:
    """Predictive variance (ROWS, COLUMNS), averaged over action dimensions.

    Raises:
        NumericalError: The prior is not finite somewhere on the plane.
    """
    _, std = moments(prior, plane.states)
    return std.double().square().mean(dim=1).reshape(ROWS, COLUMNS).numpy()


def _ticks(values: Array, count: int) -> Array:
    margin = _MARGIN * max(float(np.ptp(values)), 1e-6)
    return np.linspace(values.min() - margin, values.max() + margin, count)


def _fixed_sign(vectors: Array) -> Array:
    """Eigenvectors whose largest entry is positive: their sign is arbitrary otherwise."""
    largest = np.abs(vectors).argmax(axis=0)
    return vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
