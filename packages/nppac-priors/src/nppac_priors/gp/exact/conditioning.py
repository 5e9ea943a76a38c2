"""The posterior's factors: one symmetric eigendecomposition of the kernel matrix, in float64."""

from __future__ import annotations

import logging
from typing import NamedTuple

import torch
from torch import Tensor

from nppac_priors.errors import DataError
from nppac_priors.gp.config import KernelName
from nppac_priors.gp.coregionalisation import diagonal_posterior
from nppac_priors.gp.eigendecomposition import eigendecompose
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.kernels import covariance_matrix
from nppac_priors.gp.memory import require_memory
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.gp.predictor import Factors

logger = logging.getLogger(__name__)

_MATRICES = 4
"""N x N float64 matrices alive at the peak: K, its eigenvectors and the solver's workspace."""
_LARGEST = 32_000
"""Points whose eigendecomposition LAPACK can do: its workspace of 2 N^2 is counted in 32 bits."""
_ADVICE = "take fewer demonstrations, or sparse-gp"


class Decomposition(NamedTuple):
    """Of w^1/2 K w^1/2 = U diag(l) U' over N points, float64; nearly all the time goes into it.

    Attributes:
        eigenvalues: l, (N,).
        modes: U, (N, N).
    """

    eigenvalues: Tensor
    modes: Tensor


@torch.no_grad()
def decompose(
    kernel: KernelName, hyperparameters: Hyperparameters, data: TrainingData
) -> Decomposition:
    """Factorise the covariance of all data; time grows with the cube of N.

    Args:
        kernel: Data kernel.
        hyperparameters: On the device of the data.
        data: N points. Weights enter as K <- w^1/2 K w^1/2, which is noise D / w.

    Raises:
        DataError: The matrices do not fit into memory.
        NumericalError: The eigendecomposition failed with every jitter.
    """
    check_size(len(data.states), data.states.device)
    scale = row_scale(data)
    covariance = covariance_matrix(kernel, data.states, hyperparameters.lengthscale)
    covariance.mul_(scale).mul_(scale.T)
    return Decomposition(*eigendecompose(covariance, "exact-gp"))


@torch.no_grad()
def condition(
    decomposition: Decomposition,
    hyperparameters: Hyperparameters,
    data: TrainingData,
    variance_tolerance: float = 0.0,
) -> Factors:
    """Condition the GP on all data; float64 throughout.

    With K = U diag(l) U' and D^-1/2 B D^-1/2 = V diag(g) V', everything that the posterior needs is
    diagonal in the basis (U, V).

    Args:
        decomposition: Of the data; its modes are overwritten.
        hyperparameters: On the device of the data.
        data: N points.
        variance_tolerance: Modes go as long as no action's variance moves by more than this
            fraction of its noise variance, at any state.
    """
    eigenvalues, modes = decomposition
    scale = row_scale(data)
    residuals = scale * (data.actions.double() - hyperparameters.mean)
    mean_weights, variance_weights = diagonal_posterior(
        eigenvalues, modes.T @ residuals, hyperparameters
    )
    modes.mul_(scale)
    mean_weights = modes @ mean_weights
    kept = _kept_modes(eigenvalues, variance_weights, hyperparameters, variance_tolerance)
    logger.info("exact-gp: %d of %d modes kept", int(kept.sum()), len(kept))
    if not kept.all():
        modes, variance_weights = modes[:, kept], variance_weights[kept]
    return Factors(mean_weights, modes, variance_weights)


def row_scale(data: TrainingData) -> Tensor:
    """w^1/2 (N, 1), float64."""
    return data.weights.double().sqrt()[:, None]


def _kept_modes(
    eigenvalues: Tensor,
    variance_weights: Tensor,
    hyperparameters: Hyperparameters,
    tolerance: float,
) -> Tensor:
    """Mask (r,) of modes to keep.

    The Schur complement k(s,s) - sum_n c_n^2 / l_n is never negative, so the c_n^2 / l_n of any
    set of modes sum to at most 1: dropping the set changes variance i by at most max_n l_n w_ni.
    """
    influence = eigenvalues[:, None] * variance_weights / hyperparameters.noise_variance
    return influence.amax(1) > tolerance


def check_size(n_points: int, device: torch.device) -> None:
    """Refuse before allocation what cannot be conditioned on.

    Raises:
        DataError: With the need and what is free.
    """
    what = f"exact-gp: {n_points} states"
    require_memory(_MATRICES * 8 * n_points**2, device, what, _ADVICE)
    if n_points > _LARGEST:
        raise DataError(f"{what} are more than the {_LARGEST} it can factorise; {_ADVICE}")
