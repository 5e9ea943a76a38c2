"""Inducing points chosen among demonstration states by pivoted Cholesky."""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_priors.gp.config import KernelName
from nppac_priors.gp.kernels import PointKernel

_EXPLAINED = 1e-6
"""Prior variance left over, as a share, below which a state adds nothing."""


@torch.no_grad()
def choose_inducing_points(
    kernel: KernelName,
    states: Tensor,
    lengthscale: Tensor,
    count: int,
    importance: Tensor | None = None,
) -> Tensor:
    """States that explain the others best, one after the other (m, S), m <= `count`.

    Each is the state whose prior variance, given the ones before, is largest (Burt et al. 2020,
    "Convergence of sparse variational inference in Gaussian processes regression", section 4.2).
    Duplicates are never chosen twice, and fewer than `count` where all states are explained.

    Args:
        kernel: Data kernel.
        states: Candidates (n, S), float64.
        lengthscale: (S,), units of the states.
        count: At most this many.
        importance: (n,), not negative: a state's variance counts so many times; ones if None.
    """
    kernel_values = PointKernel(kernel, states, lengthscale)
    remaining = torch.ones(len(states), dtype=torch.float64, device=states.device)
    columns = states.new_zeros(len(states), min(count, len(states)), dtype=torch.float64)
    chosen: list[int] = []
    for i in range(columns.shape[1]):
        pivot = int((remaining if importance is None else remaining * importance).argmax())
        variance = remaining[pivot].item()
        if variance < _EXPLAINED:
            break
        covariance = kernel_values(states[pivot : pivot + 1]).squeeze(0)
        explained = columns[:, :i] @ columns[pivot, :i]
        columns[:, i] = (covariance - explained) / variance**0.5
        remaining.sub_(columns[:, i].square()).clamp_(min=0.0)
        remaining[pivot] = 0.0
        chosen.append(pivot)
    return states[chosen].clone()
