"""States in units of the demonstrations."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Standardiser(nn.Module):
    """Affine map of states to zero mean and unit deviation; the identity without states.

    Dimensions that hardly vary keep their scale, and the result is clipped to +-10 deviations, so
    that one far-away coordinate cannot drown the others.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, state_dim: int, states: Tensor | None = None) -> None:
        super().__init__()
        self.active = states is not None
        shift, scale = torch.zeros(state_dim), torch.ones(state_dim)
        if states is not None:
            shift = states.mean(0)
            deviation = states.std(0, unbiased=False)
            scale = torch.where(deviation > 1e-3, deviation, torch.ones_like(deviation))
        self.register_buffer("shift", shift)
        self.register_buffer("scale", scale)

    def forward(self, states: Tensor) -> Tensor:
        """(B, S) to (B, S)."""
        if not self.active:
            return states
        return ((states - self.shift) / self.scale).clamp(-10.0, 10.0)
