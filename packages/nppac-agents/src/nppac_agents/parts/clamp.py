"""A clamp that can be left again: outside the bounds, gradients pass that lead back inside.

The plain clamp has no gradient there. A critic whose first weights put it above its upper bound for
every state then stays there for ever, and so does a policy whose log standard deviation once grew
beyond its bound everywhere.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def inward_clamp(values: Tensor, low: float, high: float) -> Tensor:
    """`values` clamped to [`low`, `high`], for a loss that is minimised."""
    return _InwardClamp.apply(values, low, high)  # pyright: ignore[reportReturnType]


def inward(gradient: Tensor, values: Tensor, clamped: Tensor) -> Tensor:
    """The gradient without what leads further out, where `values` were clamped."""
    return gradient.masked_fill((values - clamped) * gradient < 0, 0.0)


class _InwardClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, low: float, high: float) -> Tensor:
        clamped = values.clamp(low, high)
        ctx.save_for_backward(values, clamped)
        return clamped

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return inward(*gradients, *ctx.saved_tensors), None, None
