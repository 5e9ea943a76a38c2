"""The kernels over states as closed forms of the squared scaled distance.

Used by the frozen predictor, differentiable in the states; the fits use the GPyTorch modules of
`model`, with which these forms agree (tests/gp).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nppac_priors.gp.config import KernelName

_NEAR_SQUARED = 1e-18
"""Below a scaled distance of 1e-9, which is rounding, the root's slope is not followed: it is 0."""
_FAR_SQUARED = 1e8
"""Beyond a scaled distance of 1e4 every kernel is exactly 0; the cap keeps `inf * 0` out."""


def squared_distances(queries: Tensor, points: Tensor) -> Tensor:
    """Squared Euclidean distances (B, N) between rows, in one float64 matrix product.

    The expanded square loses half of the digits where two points nearly coincide, which in float32
    is the third digit of a Matern-1/2 kernel; in float64 it is the eighth.

    Args:
        queries: Scaled and centred states (B, S), float64.
        points: Scaled and centred states with the two columns of `augment` (N, S + 2).
    """
    ones = torch.ones_like(queries[:, :1])
    augmented = torch.cat((queries, queries.square().sum(1, keepdim=True), ones), dim=1)
    return (augmented @ points.T).clamp(_NEAR_SQUARED, _FAR_SQUARED)


def augment(points: Tensor) -> Tensor:
    """Columns (-2 x, 1, |x|^2) that turn squared distances into one matrix product (N, S + 2)."""
    norms = points.square().sum(1, keepdim=True)
    return torch.cat((-2.0 * points, torch.ones_like(norms), norms), dim=1)


def evaluate(kernel: KernelName, squared: Tensor) -> Tensor:
    """The unit-amplitude kernel at squared scaled distances."""
    if kernel == "rbf":
        return (-0.5 * squared).exp()
    distance = squared.sqrt()
    if kernel == "matern12":
        return (-distance).exp()
    if kernel == "matern32":
        distance = math.sqrt(3.0) * distance
        return (distance + 1.0) * (-distance).exp()
    distance = math.sqrt(5.0) * distance
    return ((distance / 3.0 + 1.0) * distance + 1.0) * (-distance).exp()


class PointKernel:
    """The kernel between states that are asked about and fixed points, float64.

    Args:
        kernel: Data kernel.
        points: (N, S).
        lengthscale: (S,), units of the states.
    """

    def __init__(self, kernel: KernelName, points: Tensor, lengthscale: Tensor) -> None:
        """Scale the points once; distances are taken from their centre, which keeps digits."""
        points = points.double()
        self.kernel: KernelName = kernel
        self.lengthscale = lengthscale
        self.center = points.mean(0)
        self.points = augment(self._scaled(points))

    def __len__(self) -> int:
        """Number of points N."""
        return len(self.points)

    def __call__(self, states: Tensor) -> Tensor:
        """Kernel values (B, N) at states (B, S)."""
        return evaluate(self.kernel, squared_distances(self._scaled(states), self.points))

    def _scaled(self, states: Tensor) -> Tensor:
        return (states.double() - self.center) / self.lengthscale


def covariance_matrix(kernel: KernelName, states: Tensor, lengthscale: Tensor) -> Tensor:
    """Kernel matrix of the states with themselves (N, N), float64, exactly 1 on its diagonal."""
    covariance = PointKernel(kernel, states, lengthscale)(states)
    covariance.diagonal().fill_(1.0)
    return covariance
