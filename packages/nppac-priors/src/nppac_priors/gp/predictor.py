"""Frozen posterior of a GP: marginal moments of the actions, fast and in bounded memory.

All is float64 but the one expensive product, kernel values times modes, which is float32. Each
state's kernel values are centred for it: what they have in common enters in float64, and rounding
errors stay near a thousandth of the standard deviation, where plain float32 is ten times worse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nppac_priors.gp.config import KernelName
from nppac_priors.gp.kernels import PointKernel
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.gp.tensor_record import TensorRecord
from nppac_priors.products import product

_CACHED = 1 << 18
"""Kernel values computed at a time on a CPU: 2 MiB, about a core's cache."""
_IN_FLIGHT = 1 << 21
"""Kernel values at a time: enough that one product with the modes pays for reading them."""

Times = Callable[[Tensor, Tensor], Tensor]
"""How matrices are multiplied"""


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
        dtype: Of the modes, and of their product with the kernel values.
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

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (B, A) of the actions, observation noise included.

        In the precision of the states, and differentiable in them.
        """
        kernel_values = self.kernel_values(states)
        std = self._std(kernel_values, states.dtype, torch.matmul)
        return self._mean(kernel_values).to(states.dtype), std

    def mean(self, states: Tensor) -> Tensor:
        """Posterior mean (B, A) at states (B, S), in their precision and in bounded memory."""
        pieces = self._chunks(states, self._piece)
        return torch.cat([self._mean(self.kernel_values(piece)) for piece in pieces]).to(
            states.dtype
        )

    def moments(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """`tensors`, in bounded memory, with kernel values that a core's cache holds."""
        means, stds = [], []
        for chunk in self._chunks(states, _IN_FLIGHT):
            pieces = [self.kernel_values(piece) for piece in self._chunks(chunk, self._piece)]
            means.extend(self._mean(piece) for piece in pieces)
            stds.append(self._std(torch.cat(pieces), states.dtype, product))
        return torch.cat(means).to(states.dtype), torch.cat(stds)

    def _chunks(self, states: Tensor, entries: int) -> tuple[Tensor, ...]:
        return states.split(max(1, entries // len(self.kernel_values)))

    def _mean(self, kernel_values: Tensor) -> Tensor:
        return torch.addmm(self.prior_mean, kernel_values, self.factors.mean_weights)

    def _std(self, kernel_values: Tensor, dtype: torch.dtype, times: Times) -> Tensor:
        modes = self.factors.modes
        modes = modes.to(torch.promote_types(modes.dtype, dtype))
        average = kernel_values.mean(1, keepdim=True)
        centred = (kernel_values - average).to(modes.dtype)
        coordinates = times(centred, modes).double() + average * self.mode_sums
        explained = coordinates.square() @ self.factors.variance_weights
        latent_variance = (self.prior_variance - explained).clamp(min=0.0)
        return (latent_variance + self.noise_variance).sqrt().to(dtype)
