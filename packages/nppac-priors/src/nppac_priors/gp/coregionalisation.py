"""The posterior of correlated actions in the basis where data and actions are both diagonal."""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_priors.gp.model import Hyperparameters


def diagonal_posterior(
    eigenvalues: Tensor, projected: Tensor, hyperparameters: Hyperparameters
) -> tuple[Tensor, Tensor]:
    """Weights of the modes in the posterior mean and in the variance that the data explain.

    With D^-1/2 B D^-1/2 = V diag(g) V', the covariance diag(l) (x) B + I (x) D is diagonal after
    rotating the actions by V' D^-1/2, and each of its r A entries can be inverted alone.

    Args:
        eigenvalues: l (r,), none negative.
        projected: Residuals of the actions in the basis of the modes (r, A).
        hyperparameters: B and D.

    Returns:
        (r, A) each: the solution times B, and sum_j D_i V_ij^2 g_j^2 / (l_n g_j + 1).
    """
    root = hyperparameters.noise_variance.sqrt()
    g, v = torch.linalg.eigh(hyperparameters.task_covariance / (root[:, None] * root))
    g = g.clamp_min(0.0)
    gain = g / (torch.outer(eigenvalues, g) + 1.0)
    mean_weights = ((projected / root) @ v * gain) @ (v.T * root)
    return mean_weights, (gain * g) @ (v.T.square() * hyperparameters.noise_variance)
