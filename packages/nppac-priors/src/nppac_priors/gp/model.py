"""The GPs' parameters as GPyTorch modules, and as the plain numbers that prediction needs.

`GPModel` holds what is learned: one constant mean per action, an ARD kernel of unit
amplitude over states, a task covariance `B = W W' + diag(v)` (intrinsic coregionalisation), and a
Gaussian likelihood with one noise variance per action plus a global one (Rudner et al. 2021,
App. F). Its state dict has the layout of the published GPs. `Hyperparameters` is the same
with constraints resolved, in the units of the data; everything after the fit uses only that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import gpytorch
import torch
from torch import Tensor

from nppac_priors.errors import ConfigError
from nppac_priors.gp.config import KernelName
from nppac_priors.gp.tensor_record import TensorRecord


@dataclass(frozen=True)
class Hyperparameters(TensorRecord):
    """What defines the GP besides its data. All float64.

    Attributes:
        lengthscale: (S,), units of the states.
        task_covariance: B (A, A), prior covariance of the actions at one state.
        noise_variance: D (A,), observation noise.
        mean: (A,), prior mean.
    """

    lengthscale: Tensor
    task_covariance: Tensor
    noise_variance: Tensor
    mean: Tensor


def data_kernel(kernel: KernelName, state_dim: int) -> gpytorch.kernels.Kernel:
    """The unit-amplitude ARD kernel over states, as a GPyTorch module."""
    if kernel == "rbf":
        return gpytorch.kernels.RBFKernel(ard_num_dims=state_dim)
    nu = {"matern12": 0.5, "matern32": 1.5, "matern52": 2.5}[kernel]
    return gpytorch.kernels.MaternKernel(nu=nu, ard_num_dims=state_dim)


class GPModel(torch.nn.Module):
    """Learnable parameters of a GP, float64.

    Args:
        kernel: Data kernel.
        state_dim: S.
        action_dim: A.
        rank: Columns of W; 0 makes B diagonal, the case of independent outputs.
    """

    def __init__(self, kernel: KernelName, state_dim: int, action_dim: int, rank: int) -> None:
        """Build the modules; the covariance's random start leaves the global generator alone."""
        super().__init__()
        self.likelihood: Any = gpytorch.likelihoods.MultitaskGaussianLikelihood(
            num_tasks=action_dim
        )
        self.mean_module: Any = gpytorch.means.MultitaskMean(
            gpytorch.means.ConstantMean(), num_tasks=action_dim
        )
        with torch.random.fork_rng(devices=[]):
            self.covar_module: Any = gpytorch.kernels.MultitaskKernel(
                data_kernel(kernel, state_dim), num_tasks=action_dim, rank=rank
            )
        self.double()

    @property
    def lengthscale(self) -> Tensor:
        """ARD lengthscales (S,)."""
        return self.covar_module.data_covar_module.lengthscale.squeeze(0)

    @property
    def task_covariance(self) -> Tensor:
        """B (A, A)."""
        task = self.covar_module.task_covar_module
        return task.covar_factor @ task.covar_factor.T + torch.diag(task.var)

    @property
    def task_factor(self) -> Tensor:
        """T (A, rank + A) with T T' = B."""
        task = self.covar_module.task_covar_module
        return torch.cat((task.covar_factor, torch.diag(task.var.sqrt())), dim=1)

    @property
    def noise_variance(self) -> Tensor:
        """D (A,): noise per action plus the global noise."""
        return self.likelihood.task_noises + self.likelihood.noise

    @property
    def mean(self) -> Tensor:
        """Constant mean (A,)."""
        return torch.cat([base.constant.reshape(1) for base in self.mean_module.base_means])

    def data_covariance(self, states: Tensor) -> Tensor:
        """Kernel matrix of the states (N, N), differentiable in the lengthscales."""
        return self.covar_module.data_covar_module(states).to_dense()

    @torch.no_grad()
    def hyperparameters(self, state_scale: Tensor | float = 1.0) -> Hyperparameters:
        """The current values with constraints resolved.

        Args:
            state_scale: (S,), what the states were divided by before they came here.
        """
        return Hyperparameters(
            self.lengthscale * state_scale,
            self.task_covariance.clone(),
            self.noise_variance.clone(),
            self.mean.clone(),
        )


def initial_model(
    kernel: KernelName, rank: int, state_dim: int, actions: Tensor, generator: torch.Generator
) -> GPModel:
    """Where a fit to states of unit spread starts, on the CPU.

    Lengthscales that see the whole data set, B of the actions' size, a tenth of it as noise.
    Lengthscales keep GPyTorch's softplus. A search over their logarithms lets those of dimensions
    that hardly matter on the demonstrations grow without bound: held-out demonstrations become a
    little likelier, but rolled out on door, the posterior mean no longer opens it.

    Args:
        kernel: Data kernel.
        rank: Columns of W.
        state_dim: S.
        actions: (n, A), all of the demonstrations or a fair sample.
        generator: Draws the start of W.
    """
    actions = actions.double().cpu()
    model = GPModel(kernel, state_dim, actions.shape[1], rank)
    variance = actions.var(0, correction=0).clamp_min(1e-3)
    model.covar_module.data_covar_module.lengthscale = math.sqrt(state_dim)
    task = model.covar_module.task_covar_module
    task.var = variance
    draw = torch.randn(task.covar_factor.shape, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        task.covar_factor.copy_(0.1 * variance.sqrt()[:, None] * draw)
        for base, value in zip(model.mean_module.base_means, actions.mean(0), strict=True):
            base.constant.fill_(value)
    model.likelihood.task_noises = 0.1 * variance + 1e-3
    model.likelihood.noise = 1e-3
    return model


def check_rank(kind: str, rank: int, action_dim: int) -> None:
    """Refuse a task covariance of more columns than actions.

    Raises:
        ConfigError: With both numbers.
    """
    if rank > action_dim:
        raise ConfigError(
            f"{kind}: rank {rank} of the task covariance is larger than the {action_dim} action "
            f"dimensions; lower rank"
        )
