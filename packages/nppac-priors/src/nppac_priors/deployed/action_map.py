"""From the policy's action space, [-1, 1], to the environment's own units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class ActionMap:
    """Each dimension by itself: -1 to its lower bound, 1 to its upper one.

    Args:
        low: (A,); None where the environment takes [-1, 1] itself.
        high: (A,).
        device: Of the actions.
    """

    def __init__(
        self,
        low: Sequence[float] | None,
        high: Sequence[float] | None,
        device: torch.device | None = None,
    ) -> None:
        """Round the bounds inwards, so that float32 actions are never outside."""
        self._bounds = None
        if low is not None and high is not None:
            ends = np.asarray(low, np.float64), np.asarray(high, np.float64)
            inside = _inwards(ends[0], np.inf), _inwards(ends[1], -np.inf)
            self._bounds = tuple(torch.from_numpy(end).to(device) for end in ends)
            self._inside = tuple(torch.from_numpy(end).to(device) for end in inside)

    def action(self, actions: Tensor) -> Tensor:
        """Policy-space actions (B, A), clipped, in the environment's units; float32."""
        clipped = actions.clamp(-1.0, 1.0)
        if self._bounds is None:
            return clipped.float()
        low, high = self._bounds
        mapped = (low + (clipped.double() + 1.0) / 2.0 * (high - low)).float()
        return mapped.maximum(self._inside[0]).minimum(self._inside[1])

    def moments(self, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) in the environment's units, not clipped; float32."""
        if self._bounds is None:
            return mean.float(), std.float()
        low, high = self._bounds
        half = (high - low) / 2.0
        return (low + (mean.double() + 1.0) * half).float(), (std.double() * half).float()


def _inwards(bounds: NDArray[np.float64], towards: float) -> NDArray[np.float32]:
    """The nearest float32 numbers that are not beyond the bounds."""
    rounded = bounds.astype(np.float32)
    beyond = rounded.astype(np.float64) < bounds if towards > 0 else rounded > bounds
    moved = np.nextafter(rounded, np.float32(towards))
    return np.where(beyond, moved, rounded).astype(np.float32)
