"""Fixtures: drawn GPs with data, and the real demonstrations with their published GPs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from nppac_priors.exact_gp.config import KernelName
from nppac_priors.exact_gp.model import ExactGPModel, Hyperparameters
from nppac_priors.exact_gp.training_data import TrainingData
from torch import Tensor


@dataclass(frozen=True)
class Problem:
    """A GP with drawn hyper-parameters, data, and states to ask about."""

    kernel: KernelName
    model: ExactGPModel
    data: TrainingData
    queries: Tensor

    @property
    def hyperparameters(self) -> Hyperparameters:
        return self.model.hyperparameters()


def _draw(kernel: KernelName, n: int, s: int, a: int, rank: int, seed: int = 0) -> Problem:
    generator = torch.Generator().manual_seed(seed)
    model = ExactGPModel(kernel, s, a, rank)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator).double())
        model.likelihood.raw_task_noises.sub_(3.0)
    states = torch.randn(n, s, generator=generator)
    actions = torch.rand(n, a, generator=generator) * 2.0 - 1.0
    data = TrainingData.check(states, actions, None, "cpu")
    near = states[: min(n, 5)] + 1e-3 * torch.randn(min(n, 5), s, generator=generator)
    far = 2.0 * torch.randn(10, s, generator=generator)
    return Problem(kernel, model, data, torch.cat((states[:5], near, far)))


@pytest.fixture(scope="session")
def draw() -> Callable[..., Problem]:
    """`draw(kernel, n, s, a, rank, seed=0)`."""
    return _draw


def _dense_posterior(
    hyperparameters: Hyperparameters, data: TrainingData, k: Tensor, k_query: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean and std by one (N A) x (N A) solve, states varying slowest."""
    n, a = data.actions.shape
    b, d = hyperparameters.task_covariance, hyperparameters.noise_variance
    covariance = torch.kron(k, b) + torch.kron(torch.diag(1.0 / data.weights.double()), d.diag())
    cross = torch.kron(k_query, b)
    residual = (data.actions.double() - hyperparameters.mean).reshape(n * a)
    mean = hyperparameters.mean + (cross @ torch.linalg.solve(covariance, residual)).reshape(-1, a)
    explained = (cross * torch.linalg.solve(covariance, cross.T).T).sum(1).reshape(-1, a)
    return mean, (b.diagonal() - explained + d).sqrt()


@pytest.fixture(scope="session")
def dense_posterior() -> Callable[..., tuple[Tensor, Tensor]]:
    return _dense_posterior


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real demonstrations and published GPs."""
    root = Path(
        os.environ.get("NPPAC_DATA") or Path(__file__).resolve().parents[4].parent / "shared/data"
    )
    if not (root / "reference-gps").is_dir():
        pytest.skip("no real demonstrations: set NPPAC_DATA")
    return root


@dataclass(frozen=True)
class Published:
    """A published GP and the demonstrations that it was fitted to."""

    kernel: KernelName
    path: Path
    states: Tensor
    actions: Tensor


@pytest.fixture(scope="session", params=["door", "pen"])
def published(request: pytest.FixtureRequest, real_data: Path) -> Published:
    h5py = pytest.importorskip("h5py")
    kernel: KernelName = {"door": "matern12", "pen": "matern52"}[request.param]
    with h5py.File(real_data / f"minari/{request.param}/human-v0/data/main_data.hdf5") as file:
        episodes = [file[f"episode_{i}"] for i in range(len(file))]
        actions = [torch.as_tensor(e["actions"][:]) for e in episodes]
        states = [torch.as_tensor(e["observations"][: len(e["actions"])]) for e in episodes]
    path = real_data / f"reference-gps/{request.param}_{kernel}.pt"
    return Published(kernel, path, torch.cat(states).float(), torch.cat(actions).float())
