"""Exact log marginal likelihood of a GP with covariance K (x) B + I (x) diag(d).

Two symmetric eigendecompositions, N x N and A x A, replace the (N A) x (N A) solve, and the gradient
is written out: differentiating through an eigendecomposition fails where eigenvalues nearly
coincide, which for kernel matrices is everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def log_marginal_likelihood(
    data_covariance: Tensor, task_covariance: Tensor, noise_variance: Tensor, residuals: Tensor
) -> Tensor:
    """Log density of ``residuals`` under N(0, K (x) B + I (x) diag(d)), differentiable in all four.

    Args:
        data_covariance: K (N, N), symmetric positive semi-definite.
        task_covariance: B (A, A), symmetric positive semi-definite.
        noise_variance: d (A,), positive.
        residuals: Y - mean (N, A).

    Returns:
        A scalar in nats.
    """
    return _KroneckerLogDensity.apply(data_covariance, task_covariance, noise_variance, residuals)


class _KroneckerLogDensity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, k: Tensor, b: Tensor, d: Tensor, residuals: Tensor) -> Tensor:
        root = d.sqrt()
        g, v = torch.linalg.eigh(b / (root[:, None] * root))
        l, u = torch.linalg.eigh(k)
        l, g = l.clamp_min(0.0), g.clamp_min(0.0)
        inverse = 1.0 / (torch.outer(l, g) + 1.0)
        rotated = u.T @ (residuals / root) @ v
        solved = rotated * inverse
        value = -0.5 * (
            (rotated * solved).sum()
            - inverse.log().sum()
            + len(k) * d.log().sum()
            + residuals.numel() * math.log(2.0 * math.pi)
        )
        ctx.save_for_backward(u, l, g, v / root[:, None], inverse, solved)
        return value

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        u, l, g, v, inverse, solved = ctx.saved_tensors
        (scale,) = grad_outputs
        half = 0.5 * scale
        weights = u @ solved
        grad_k = (weights * g) @ weights.T - (u * (inverse @ g)) @ u.T
        inner_b = (solved.T * l) @ solved - torch.diag(l @ inverse)
        inner_d = solved.T @ solved - torch.diag(inverse.sum(0))
        grad_b = v @ inner_b @ v.T
        grad_d = ((v @ inner_d) * v).sum(1)
        return half * grad_k, half * grad_b, half * grad_d, -scale * weights @ v.T
