"""Whitened features of states: their kernel values with the inducing points, decorrelated."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nppac_priors.errors import NumericalError
from nppac_priors.gp.model import GPModel

_JITTERS = (1e-8, 1e-6, 1e-4)


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n states for M inducing points, differentiable.

    Attributes:
        values: a(s) = L^-1 k(Z, s) with L L' = k(Z, Z), (n, M); |a(s)|^2 is the share of the prior
            variance at s that the inducing points determine.
        factor: L (M, M).
    """

    values: Tensor
    factor: Tensor

    @classmethod
    def of(cls, model: GPModel, inducing: Tensor, states: Tensor) -> Features:
        """Features of states (n, S) under the model's kernel.

        Raises:
            NumericalError: k(Z, Z) has no Cholesky factor with any jitter.
        """
        kernel = model.covar_module.data_covar_module
        factor = _cholesky(kernel(inducing).to_dense())
        between = kernel(inducing, states).to_dense()
        return cls(torch.linalg.solve_triangular(factor, between, upper=False).T, factor)


def _cholesky(covariance: Tensor) -> Tensor:
    identity = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
    for jitter in _JITTERS:
        factor, failed = torch.linalg.cholesky_ex(covariance + jitter * identity)
        if not failed and bool(torch.isfinite(factor).all()):
            return factor
    raise NumericalError(
        f"sparse-gp: the kernel matrix of {len(covariance)} inducing points has no Cholesky factor "
        f"up to jitter {_JITTERS[-1]:g}; lower inducing_points or learning_rate"
    )
