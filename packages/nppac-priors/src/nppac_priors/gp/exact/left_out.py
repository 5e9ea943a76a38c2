"""Predictive variances of the exact GP at its own data, without the episode of each state.

No refit: the covariance of an episode given all others is the inverse of its block of the inverse
covariance of all. Hyper-parameters stay those of all the data.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_priors.gp.config import KernelName
from nppac_priors.gp.eigendecomposition import eigendecompose
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.kernels import covariance_matrix
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.progress import Progress, ProgressCallback


@torch.no_grad()
def left_out_std(
    kernel: KernelName,
    hyperparameters: Hyperparameters,
    data: TrainingData,
    episode_lengths: Tensor,
    progress: ProgressCallback | None = None,
) -> Tensor:
    """Standard deviations (N, A), observation noise included, float64.

    With D^-1/2 B D^-1/2 = V diag(g) V', actions rotated by V' D^-1/2 are independent GPs with
    covariances g_j K + I, whose inverses share the eigenvectors U of K.

    Args:
        kernel: Data kernel.
        hyperparameters: On the device of the data.
        data: N points, in the order of their episodes.
        episode_lengths: (E,) that sum to N.
        progress: Called after every episode.
    """
    row_scale = data.weights.double().sqrt()[:, None]
    covariance = covariance_matrix(kernel, data.states, hyperparameters.lengthscale)
    covariance.mul_(row_scale).mul_(row_scale.T)
    eigenvalues, modes = eigendecompose(covariance, "exact-gp")
    del covariance
    root = hyperparameters.noise_variance.sqrt()
    g, v = torch.linalg.eigh(hyperparameters.task_covariance / (root[:, None] * root))
    inverse = 1.0 / (torch.outer(g.clamp_min(0.0), eigenvalues) + 1.0)
    rotated = []
    parts = zip(
        modes.split(episode_lengths.tolist()),
        row_scale.split(episode_lengths.tolist()),
        strict=True,
    )
    for done, (rows, scale) in enumerate(parts, start=1):
        blocks = [_left_out_variance((rows * weights) @ rows.T) for weights in inverse]
        latent = ((torch.stack(blocks, dim=1) - 1.0) / scale.square()).clamp_(min=0.0)
        rotated.append(latent + 1.0)
        if progress is not None:
            progress(Progress("leave out", done, len(episode_lengths), {}))
    variance = torch.cat(rotated) @ v.square().T * hyperparameters.noise_variance
    return variance.sqrt()


def _left_out_variance(precision: Tensor) -> Tensor:
    """Diagonal (n,) of the inverse of a block (n, n) of a precision matrix."""
    return torch.cholesky_inverse(torch.linalg.cholesky(precision)).diagonal()
