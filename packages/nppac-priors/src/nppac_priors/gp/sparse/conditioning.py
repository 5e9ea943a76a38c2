"""The optimal sparse posterior over all data, in one pass over them, float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nppac_priors.demonstration_rows import DemonstrationRows
from nppac_priors.gp.config import KernelName
from nppac_priors.gp.coregionalisation import diagonal_posterior
from nppac_priors.gp.eigendecomposition import eigendecompose
from nppac_priors.gp.kernels import PointKernel, covariance_matrix
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.gp.predictor import Factors
from nppac_priors.progress import Progress

if TYPE_CHECKING:
    from nppac_priors.progress import ProgressCallback

_NEGLIGIBLE = 1e-9
"""Eigenvalues of the inducing points' kernel matrix below this share of the largest are noise."""


@torch.no_grad()
def condition(
    kernel: KernelName,
    hyperparameters: Hyperparameters,
    inducing: Tensor,
    rows: DemonstrationRows,
    weights: Tensor,
    progress: ProgressCallback | None = None,
) -> Factors:
    """The variational distribution that maximises the bound (Titsias 2009), as predictor factors.

    With x(s) = W' k(Z, s), W W' the inverse of k(Z, Z), and sum w x x' = U diag(l) U' over the
    data, the posterior is that of the exact GP for the covariance x(s)' x(s') in place of k(s, s'),
    plus the prior variance that the inducing points leave undetermined. Where they are the data
    it is the exact GP.

    Args:
        kernel: Data kernel.
        hyperparameters: In the units of the states.
        inducing: Z (M, S).
        rows: The data.
        weights: (N,), not negative.
        progress: Called after every block.

    Raises:
        NumericalError: An eigendecomposition failed with every jitter.
    """
    whitening = _whitening(covariance_matrix(kernel, inducing, hyperparameters.lengthscale))
    kernel_values = PointKernel(kernel, inducing, hyperparameters.lengthscale)
    outer = whitening.new_zeros(whitening.shape[1], whitening.shape[1])
    targets = whitening.new_zeros(whitening.shape[1], rows.action_dim)
    done = 0
    for states, actions in rows.blocks():
        features = kernel_values(states) @ whitening
        weighted = features * weights[done : done + len(states), None]
        outer.addmm_(weighted.T, features)
        targets.addmm_(weighted.T, actions.double() - hyperparameters.mean)
        done += len(states)
        if progress is not None:
            progress(Progress("condition", done, len(rows), {}))
    eigenvalues, vectors = eigendecompose(outer, "sparse-gp")
    mean_weights, variance_weights = diagonal_posterior(
        eigenvalues, vectors.T @ targets, hyperparameters
    )
    modes = whitening @ vectors
    return Factors(modes @ mean_weights, modes, eigenvalues[:, None] * variance_weights)


def _whitening(covariance: Tensor) -> Tensor:
    """W (M, r) with W' K W = I, for the r eigenvalues of K that rounding leaves intact."""
    eigenvalues, vectors = eigendecompose(covariance, "sparse-gp")
    kept = eigenvalues > _NEGLIGIBLE * eigenvalues[-1]
    return vectors[:, kept] / eigenvalues[kept].sqrt()
