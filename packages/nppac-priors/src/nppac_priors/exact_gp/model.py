"""The exact GP's parameters as GPyTorch modules, and as the plain numbers that prediction needs.

`ExactGPModel` holds what is learned: one constant mean per action, an ARD kernel of unit
amplitude over states, a task covariance `B = W W' + diag(v)` (intrinsic coregionalisation), and a
Gaussian likelihood with one noise variance per action plus a global one (Rudner et al. 2021,
App. F). Its state dict has the layout of the published GPs. `Hyperparameters` is the same
with constraints resolved, in the units of the data; everything after the fit uses only that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gpytorch
import torch
from torch import Tensor

from nppac_priors.exact_gp.config import KernelName


@dataclass(frozen=True)
class Hyperparameters:
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


class ExactGPModel(torch.nn.Module):
    """Learnable parameters of the exact GP, float64.

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
