"""The scale of the normal as which a residual policy, and the KL divergence, see a prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

if TYPE_CHECKING:
    from torch import Tensor

PriorScale = Literal["std", "variance"] | Annotated[float, Field(gt=0, le=1)]
"""The prior's standard deviation, its variance, or a share of its standard deviation"""


def scaled(std: Tensor, scale: PriorScale) -> Tensor:
    """The scale (B, A) of the normal, from the prior's standard deviation (B, A)."""
    if scale == "variance":
        return std.square()
    return std if scale == "std" else std * scale
