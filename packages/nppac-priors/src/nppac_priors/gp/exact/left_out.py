"""Predictive variances of the exact GP at some of its own data, as if it had not seen these.

No refit and, for one row or many, one factorisation: the covariance of some states given all others
is the inverse of their block of the inverse covariance of all. Hyper-parameters stay those of all
the data.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_priors.gp.exact.conditioning import Decomposition, row_scale
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.progress import Progress, ProgressCallback


class LeaveOut:
    """The GP without some of its N states, whichever are asked for.

    With D^-1/2 B D^-1/2 = V diag(g) V', actions rotated by V' D^-1/2 are independent GPs with
    covariances g_j K + I, whose inverses share the eigenvectors U of K.

    Args:
        decomposition: Of the data.
        hyperparameters: On the device of the data.
        data: N points.
    """

    @torch.no_grad()
    def __init__(
        self, decomposition: Decomposition, hyperparameters: Hyperparameters, data: TrainingData
    ) -> None:
        """Rotate the actions; N x A numbers are kept beside the modes."""
        self._row_scale = row_scale(data)
        eigenvalues, self._modes = decomposition
        self._noise_variance = hyperparameters.noise_variance
        root = self._noise_variance.sqrt()
        g, self._rotation = torch.linalg.eigh(
            hyperparameters.task_covariance / (root[:, None] * root)
        )
        self._inverse = 1.0 / (torch.outer(g.clamp_min(0.0), eigenvalues) + 1.0)

    @torch.no_grad()
    def std(self, rows: Tensor) -> Tensor:
        """Standard deviations at some of the states by the GP without all of these.

        Args:
            rows: (n,) different indices of states.

        Returns:
            (n, A), observation noise included, float64.
        """
        modes, scale = self._modes[rows], self._row_scale[rows]
        blocks = [_left_out_variance((modes * weights) @ modes.T) for weights in self._inverse]
        latent = ((torch.stack(blocks, dim=1) - 1.0) / scale.square()).clamp_(min=0.0)
        variance = (latent + 1.0) @ self._rotation.square().T * self._noise_variance
        return variance.sqrt()


def left_out_std(
    decomposition: Decomposition,
    hyperparameters: Hyperparameters,
    data: TrainingData,
    episode_lengths: Tensor,
    progress: ProgressCallback | None = None,
) -> Tensor:
    """Standard deviations (N, A), each by the GP without the episode of its state.

    Args:
        decomposition: Of the data.
        hyperparameters: On the device of the data.
        data: N points, in the order of their episodes.
        episode_lengths: (E,) that sum to N.
        progress: Called after every episode.
    """
    without = LeaveOut(decomposition, hyperparameters, data)
    parts = []
    for rows in torch.arange(len(data.states)).split(episode_lengths.tolist()):
        parts.append(without.std(rows))
        if progress is not None:
            progress(Progress("leave out", len(parts), len(episode_lengths), {}))
    return torch.cat(parts)


def _left_out_variance(precision: Tensor) -> Tensor:
    """Diagonal (n,) of the inverse of a block (n, n) of a precision matrix."""
    return torch.cholesky_inverse(torch.linalg.cholesky(precision)).diagonal()
