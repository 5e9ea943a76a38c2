"""From the policy's action space, [-1, 1], to the environment's own units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class ActionMap:
    """Each dimension by itself: -1 to its lower bound, 1 to its upper one.

    Args:
        low: (A,); None where the environment takes [-1, 1] itself.
        high: (A,).
    """

    def __init__(self, low: Sequence[float] | None, high: Sequence[float] | None) -> None:
        """Round the bounds inwards, so that float32 actions are never outside."""
        self._bounds = None
        if low is not None and high is not None:
            ends = np.asarray(low, np.float64), np.asarray(high, np.float64)
            self._bounds = ends
            self._inside = _inwards(ends[0], np.inf), _inwards(ends[1], -np.inf)

    def action(self, actions: Tensor, single: bool) -> NDArray[np.float32]:
        """Policy-space actions (B, A), clipped, in the environment's units; (A,) if single."""
        clipped = actions.clamp(-1.0, 1.0).cpu().numpy()
        if self._bounds is not None:
            low, high = self._bounds
            share = (clipped.astype(np.float64) + 1.0) / 2.0
            mapped = (low + share * (high - low)).astype(np.float32)
            clipped = np.clip(mapped, *self._inside)
        clipped = clipped.astype(np.float32, copy=False)
        return clipped[0] if single else clipped

    def moments(
        self, mean: Tensor, std: Tensor, single: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and standard deviation (B, A) in the environment's units, not clipped."""
        values = mean.cpu().numpy().astype(np.float64), std.cpu().numpy().astype(np.float64)
        if self._bounds is not None:
            low, high = self._bounds
            half = (high - low) / 2.0
            values = low + (values[0] + 1.0) * half, values[1] * half
        first, second = (value.astype(np.float32) for value in values)
        return (first[0], second[0]) if single else (first, second)


def _inwards(bounds: NDArray[np.float64], towards: float) -> NDArray[np.float32]:
    """The nearest float32 numbers that are not beyond the bounds."""
    rounded = bounds.astype(np.float32)
    beyond = rounded.astype(np.float64) < bounds if towards > 0 else rounded > bounds
    moved = np.nextafter(rounded, np.float32(towards))
    return np.where(beyond, moved, rounded).astype(np.float32)
