"""Frozen posterior of the exact GP: float64 distances, float32 products, bounded memory."""

from __future__ import annotations

import torch
from torch import Tensor

from nppac_priors.exact_gp.conditioning import Factors
from nppac_priors.exact_gp.config import KernelName
from nppac_priors.exact_gp.kernels import augment, evaluate, squared_distances
from nppac_priors.exact_gp.model import Hyperparameters

_DISTANCES = 1 << 18
"""Float64 distances in flight: 2 MiB, about a core's cache."""
_KERNEL_VALUES = 1 << 21
"""Kernel values in flight: large enough that one product with the modes pays for reading them."""


class Predictor:
    """Posterior mean and standard deviation of actions, marginal per action.

    The cost per state is O(N S + N A) for the mean and O(N S + N r + r A) with the standard
    deviation, for N data points, r modes, A actions.

    Args:
        kernel: data kernel.
        hyperparameters: float64.
        states: data (N, S).
        factors: from :func:`~nppac_priors.exact_gp.conditioning.condition`.
        dtype: of everything after the distances.
    """

    def __init__(
        self,
        kernel: KernelName,
        hyperparameters: Hyperparameters,
        states: Tensor,
        factors: Factors,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        states = states.double()
        self.kernel: KernelName = kernel
        self.center = states.mean(0)
        self.lengthscale = hyperparameters.lengthscale
        self.points = augment((states - self.center) / self.lengthscale)
        self.prior_mean = hyperparameters.mean.to(dtype)
        self.prior_variance = hyperparameters.task_covariance.diagonal().to(dtype)
        self.noise_variance = hyperparameters.noise_variance.to(dtype)
        self.factors = Factors(
            factors.mean_weights.to(dtype),
            factors.modes.to(dtype).contiguous(),
            factors.variance_weights.to(dtype),
        )

    def mean(self, states: Tensor) -> Tensor:
        """Posterior mean (B, A) at states (B, S)."""
        chunks = self._chunks(states, _DISTANCES)
        return torch.cat([self._mean(self._kernel_values(chunk)) for chunk in chunks])

    def moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) of the actions, observation noise included."""
        means, stds = [], []
        for chunk in self._chunks(states, _KERNEL_VALUES):
            pieces = self._chunks(chunk, _DISTANCES)
            values = torch.cat([self._kernel_values(piece) for piece in pieces])
            means.append(self._mean(values))
            explained = (values @ self.factors.modes).square_() @ self.factors.variance_weights
            latent = (self.prior_variance - explained).clamp_(min=0.0)
            stds.append(latent.add_(self.noise_variance).sqrt_())
        return torch.cat(means), torch.cat(stds)

    def _chunks(self, states: Tensor, entries: int) -> tuple[Tensor, ...]:
        return states.split(max(1, entries // len(self.points)))

    def _kernel_values(self, states: Tensor) -> Tensor:
        scaled = (states.double() - self.center) / self.lengthscale
        squared = squared_distances(scaled, self.points).to(self.prior_mean.dtype)
        return evaluate(self.kernel, squared)

    def _mean(self, kernel_values: Tensor) -> Tensor:
        return torch.addmm(self.prior_mean, kernel_values, self.factors.mean_weights)
