"""Linear systems whose matrix is only known by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def conjugate_gradients(
    product: Callable[[Tensor], Tensor],
    target: Tensor,
    *,
    iterations: int,
    tolerance: float = 1e-10,
) -> Tensor:
    """x (P,) with A x near `target` (P,), for a positive definite A (Hestenes & Stiefel 1952).

    It starts at zero, so that x' target is never negative, however few the iterations.

    Args:
        product: v (P,) to A v.
        target: the right side.
        iterations: so many products; whether to go on is not read off the device.
        tolerance: it moves no further where the squared residual is this share of its first value.
    """
    solution = torch.zeros_like(target)
    residual, direction = target.clone(), target.clone()
    squared = first = residual @ residual
    for _ in range(iterations):
        goes_on = squared > tolerance * first
        image = product(direction)
        length = torch.where(goes_on, squared / (direction @ image), 0.0)
        solution = solution + length * direction
        residual = residual - length * image
        previous, squared = squared, residual @ residual
        direction = residual + torch.where(goes_on, squared / previous, 0.0) * direction
    return solution
