"""Exact log marginal likelihood of a GP with covariance K (x) B + I (x) diag(d).

Two symmetric eigendecompositions, N x N and A x A, replace the (N A) x (N A) solve. The gradient is
written out: differentiating through an eigendecomposition fails where eigenvalues nearly coincide,
which for kernel matrices is everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from nppac_priors.gp.eigendecomposition import eigendecompose


def log_marginal_likelihood(
    data_covariance: Tensor, task_covariance: Tensor, noise_variance: Tensor, residuals: Tensor
) -> Tensor:
    """Log density of `residuals` under N(0, K (x) B + I (x) diag(d)), differentiable in all four.

    Args:
        data_covariance: K (N, N), symmetric positive semi-definite.
        task_covariance: B (A, A), symmetric positive semi-definite.
        noise_variance: d (A,), positive.
        residuals: Y - mean (N, A).

    Returns:
        A scalar in nats.

    Raises:
        NumericalError: K is not finite or has no eigendecomposition.
    """
    return _KroneckerLogDensity.apply(data_covariance, task_covariance, noise_variance, residuals)


class _KroneckerLogDensity(torch.autograd.Function):
    """With K = U diag(l) U' and D^-1/2 B D^-1/2 = V diag(g) V', both covariances are diagonal."""

    @staticmethod
    def forward(ctx: Any, k: Tensor, b: Tensor, d: Tensor, residuals: Tensor) -> Tensor:
        root = d.sqrt()
        task_eigenvalues, v = torch.linalg.eigh(b / (root[:, None] * root))
        data_eigenvalues, u = eigendecompose(k.clone(), "exact-gp")
        task_eigenvalues = task_eigenvalues.clamp_min(0.0)
        inverse = 1.0 / (torch.outer(data_eigenvalues, task_eigenvalues) + 1.0)
        rotated = u.T @ (residuals / root) @ v
        solved = rotated * inverse
        ctx.save_for_backward(
            u, data_eigenvalues, v / root[:, None], task_eigenvalues, inverse, solved
        )
        quadratic = (rotated * solved).sum()
        log_determinant = len(k) * d.log().sum() - inverse.log().sum()
        return -0.5 * (quadratic + log_determinant + residuals.numel() * math.log(2.0 * math.pi))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Per covariance C: (a a' - C^-1) / 2 with a = C^-1 y, projected on K, B, and d."""
        u, data_eigenvalues, v, task_eigenvalues, inverse, solved = ctx.saved_tensors
        (scale,) = grad_outputs
        half = 0.5 * scale
        a = u @ solved
        grad_k = (a * task_eigenvalues) @ a.T - (u * (inverse @ task_eigenvalues)) @ u.T
        inner_b = (solved.T * data_eigenvalues) @ solved - torch.diag(data_eigenvalues @ inverse)
        inner_d = solved.T @ solved - torch.diag(inverse.sum(0))
        grad_b = v @ inner_b @ v.T
        grad_d = ((v @ inner_d) * v).sum(1)
        return half * grad_k, half * grad_b, half * grad_d, -scale * a @ v.T
