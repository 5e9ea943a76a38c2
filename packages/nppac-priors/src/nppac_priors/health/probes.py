"""States at every distance from the demonstrations, to ask a prior about.

Distance is Euclidean, to the nearest demonstration state, with every state dimension divided by its
standard deviation over the demonstrations. Dimensions that are constant there count for nothing and
are never moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nppac_priors.state_scale import StateScale

Array = NDArray[np.float64]

SCALES = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
"""Lengths of the moves, in standard deviations of the demonstrations along each dimension."""
STATES_PER_SCALE = 200
_DISTANCES_AT_ONCE = 2**22


@dataclass(frozen=True, eq=False)
class Probes:
    """Demonstration states, and the same states moved away.

    Attributes:
        states: (M, S) float32.
        distance: (M,) measured; 0 on the data.
        on_data: (M,) bool, the demonstration states themselves.
        dimensions: Number of state dimensions that vary over the demonstrations.
    """

    states: NDArray[np.float32]
    distance: Array
    on_data: NDArray[np.bool_]
    dimensions: int


class Distances:
    """Distances to a set of demonstration states (N, S)."""

    def __init__(self, states: NDArray[np.floating]) -> None:
        """Keep the dimensions that vary, standardised."""
        states = np.asarray(states, dtype=np.float64)
        self.spread: Array = StateScale.of([torch.from_numpy(states)]).spread.numpy()
        self.moving: NDArray[np.bool_] = self.spread > 0.0
        self._points = self._standardised(states)

    def nearest(self, queries: NDArray[np.floating]) -> Array:
        """Distance (Q,) from each query (Q, S) to the nearest demonstration state; 0 is exact."""
        moved, points = self._standardised(queries), self._points
        squares = np.square(points).sum(axis=1)
        chunks = max(1, len(moved) * len(points) // _DISTANCES_AT_ONCE)
        nearest = np.concatenate(
            [
                np.argmin(squares - 2.0 * chunk @ points.T, axis=1)
                for chunk in np.array_split(moved, chunks)
            ]
        )
        return np.linalg.norm(moved - points[nearest], axis=1)

    def _standardised(self, states: NDArray[np.floating]) -> Array:
        return np.asarray(states, dtype=np.float64)[:, self.moving] / self.spread[self.moving]


def make_probes(
    states: NDArray[np.floating], distances: Distances, *, generator: torch.Generator
) -> Probes:
    """Move demonstration states along random directions, by every one of `SCALES`.

    The same states go the same ways at every scale, so that the scales differ in nothing else.

    Args:
        states: (N, S), the demonstrations.
        distances: To them.
        generator: A CPU generator.
    """
    rows = torch.randint(len(states), (STATES_PER_SCALE,), generator=generator).numpy()
    shape = (STATES_PER_SCALE, states.shape[1])
    direction = torch.randn(shape, generator=generator, dtype=torch.float64).numpy()
    move = np.array(SCALES)[:, None, None] * distances.spread * direction
    moved = (np.asarray(states, dtype=np.float64)[rows] + move).reshape(-1, states.shape[1])
    moved = moved.astype(np.float32)
    return Probes(
        states=moved,
        distance=distances.nearest(moved),
        on_data=np.arange(len(moved)) < STATES_PER_SCALE,
        dimensions=int(distances.moving.sum()),
    )
