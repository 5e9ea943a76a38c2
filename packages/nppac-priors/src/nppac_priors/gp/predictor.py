"""Frozen posterior of a GP: marginal moments of the actions, fast and in bounded memory.

All is float64 but the one expensive product, kernel values times modes, which is float32. Each
state's kernel values are centred for it: what they have in common enters in float64, and rounding
errors stay near a thousandth of the standard deviation, where plain float32 is ten times worse.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nppac_priors.gp.config import KernelName
from nppac_priors.gp.kernels import PointKernel
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.gp.tensor_record import TensorRecord

_CACHED = 1 << 18
"""Kernel values computed at a time on a CPU: 2 MiB, about a core's cache."""
_IN_FLIGHT = 1 << 21
"""Kernel values at a time: enough that one product with the modes pays for reading them."""


@dataclass(frozen=True)
class Factors(TensorRecord):
    """What prediction needs besides the points; N points, r modes, A actions.

    Attributes:
        mean_weights: (N, A); prior mean plus kernel values times these is the posterior mean.
        modes: (N, r); kernel values times these are the coordinates c.
        variance_weights: (r, A); c squared times these is the variance that the data explain.
    """

    mean_weights: Tensor
    modes: Tensor
    variance_weights: Tensor


class Predictor:
    """Posterior mean and standard deviation of actions, marginal per action.

    The cost per state is O(N S + N A) for the mean and O(N S + N r + r A) with the standard
    deviation, for N points, r modes, A actions.

    Args:
        kernel: Data kernel.
        hyperparameters: Float64.
        states: The points (N, S): the data of an exact GP, inducing points of a sparse one.
        factors: What conditioning on the data gave.
        dtype: Of the modes, of their product with the kernel values, and of the results.
    """

    def __init__(
        self,
        kernel: KernelName,
        hyperparameters: Hyperparameters,
        states: Tensor,
        factors: Factors,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Precompute what does not depend on the queried states."""
        self.kernel_values = PointKernel(kernel, states, hyperparameters.lengthscale)
        self.prior_mean = hyperparameters.mean
        self.prior_variance = hyperparameters.task_covariance.diagonal()
        self.noise_variance = hyperparameters.noise_variance
        self.factors = Factors(
            factors.mean_weights.double(),
            factors.modes.to(dtype).contiguous(),
            factors.variance_weights.double(),
        )
        self._piece = _CACHED if states.device.type == "cpu" else _IN_FLIGHT
        self.mode_sums = self.factors.modes.sum(0, dtype=torch.float64)

    def mean(self, states: Tensor) -> Tensor:
        """Posterior mean (B, A) at states (B, S)."""
        pieces = self._chunks(states, self._piece)
        return torch.cat([self._mean(self.kernel_values(piece)) for piece in pieces])

    def moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) of the actions, observation noise included."""
        means, stds = [], []
        for chunk in self._chunks(states, _IN_FLIGHT):
            pieces = [self.kernel_values(piece) for piece in self._chunks(chunk, self._piece)]
            means.extend(self._mean(piece) for piece in pieces)
            stds.append(self._std(torch.cat(pieces)))
        return torch.cat(means), torch.cat(stds)

    def _chunks(self, states: Tensor, entries: int) -> tuple[Tensor, ...]:
        return states.split(max(1, entries // len(self.kernel_values)))

    def _mean(self, kernel_values: Tensor) -> Tensor:
        mean = torch.addmm(self.prior_mean, kernel_values, self.factors.mean_weights)
        return mean.to(self.factors.modes.dtype)

    def _std(self, kernel_values: Tensor) -> Tensor:
        average = kernel_values.mean(1, keepdim=True)
        centred = (kernel_values - average).to(self.factors.modes.dtype)
        coordinates = (centred @ self.factors.modes).double().addcmul_(average, self.mode_sums)
        explained = coordinates.square_() @ self.factors.variance_weights
        latent_variance = (self.prior_variance - explained).clamp_(min=0.0)
        return latent_variance.add_(self.noise_variance).sqrt_().to(centred.dtype)
