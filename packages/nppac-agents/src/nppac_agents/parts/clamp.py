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
    """``values`` clamped to [``low``, ``high``], for a loss that is minimised."""
    return _InwardClamp.apply(values, low, high)  # pyright: ignore[reportReturnType]


class _InwardClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.bounds = low, high
        return values.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        (values,) = ctx.saved_tensors
        low, high = ctx.bounds
        outward = ((values > high) & (gradient < 0)) | ((values < low) & (gradient > 0))
        return gradient.masked_fill(outward, 0.0), None, None
