"""Maximum mean discrepancy between two sets of actions (Gretton et al. 2012), as BEAR takes it."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

FLOOR = 1e-6
"""Added below the root, which has no slope at zero: the MMD of equal sets is 1e-3."""


def mmd(x: Tensor, y: Tensor, kernel: Literal["laplacian", "gaussian"], sigma: float) -> Tensor:
    """The biased estimate for each state, (B,), between actions (N, B, A) and (M, B, A).

    The kernel of a difference d is exp(-|d|_1 / (2 sigma)) (Laplacian) or exp(-|d|_2^2 / (2 sigma))
    (Gaussian), which is where sigma stands in the released code of Kumar et al. 2019.
    """

    def similarity(left: Tensor, right: Tensor) -> Tensor:
        difference = left.unsqueeze(1) - right.unsqueeze(0)
        lengths = difference.abs() if kernel == "laplacian" else difference.square()
        return (-lengths.sum(-1) / (2.0 * sigma)).exp().mean((0, 1))

    squared = similarity(x, x) + similarity(y, y) - 2.0 * similarity(x, y)
    return (squared.clamp(min=0.0) + FLOOR).sqrt()
