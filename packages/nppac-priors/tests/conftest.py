"""Fixtures: a prior with a known closed form, drawn GPs with their dense posterior, and
distributions that exist only on `sys.path`."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from nppac_priors.config import PriorConfig
from nppac_priors.data import demonstration_tensors, hash_data
from nppac_priors.gp.config import KernelName
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import GPModel, Hyperparameters
from nppac_priors.plugin_loading import Component
from nppac_priors.prior import GaussianPrior
from nppac_priors.registry import Registry
from pydantic import Field
from torch import Tensor


class LinearConfig(PriorConfig):
    """Mean is `states @ weight`, std is constant."""

    kind: Literal["linear"] = "linear"
    std: float = Field(0.5, gt=0)

    def _fit(self, states: Any, actions: Any, **_: Any) -> LinearPrior:
        states, actions = demonstration_tensors(states, actions)
        weight = torch.linalg.lstsq(states, actions).solution.contiguous()
        return LinearPrior(self, weight, hash_data(states, actions))

    def from_state(self, tensors: dict[str, torch.Tensor], *, device: Any = "cpu") -> LinearPrior:
        return LinearPrior(self, tensors["weight"].to(device))


class LinearPrior(GaussianPrior):
    def __init__(self, config: LinearConfig, weight: torch.Tensor, data_hash: str = "") -> None:
        super().__init__(
            config, state_dim=weight.shape[0], action_dim=weight.shape[1], data_hash=data_hash
        )
        self.std = config.std
        self.weight = weight

    @property
    def device(self) -> torch.device:
        return self.weight.device

    def state(self, *, include_factors: bool = False) -> dict[str, torch.Tensor]:
        factors = {"gram": self.weight.T @ self.weight} if include_factors else {}
        return {"weight": self.weight, **factors}

    def _to(self, device: Any) -> LinearPrior:
        return LinearPrior(self.config, self.weight.to(device), self.data_hash)

    def tensors(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = states @ self.weight.to(states.dtype)
        return mean, torch.full_like(mean, self.std)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real demonstrations and published GPs."""
    root = Path(
        os.environ.get("NPPAC_DATA") or Path(__file__).resolve().parents[3].parent / "shared/data"
    )
    if not (root / "reference-gps").is_dir():
        pytest.skip("no real demonstrations: set NPPAC_DATA")
    return root


@pytest.fixture
def linear_config() -> type[LinearConfig]:
    return LinearConfig


@pytest.fixture
def linear_registry() -> Registry:
    return Registry("prior", PriorConfig, [Component("linear", LinearConfig, "tests", "1")])


@pytest.fixture
def demonstrations() -> tuple[torch.Tensor, torch.Tensor]:
    """States (40, 3) and actions (40, 2) in [-1, 1]."""
    generator = torch.Generator().manual_seed(0)
    states = torch.rand(40, 3, generator=generator) - 0.5
    return states, states[:, :2] - 0.3 * states[:, 2:]


@pytest.fixture
def linear_prior(demonstrations: tuple[torch.Tensor, torch.Tensor]) -> LinearPrior:
    return LinearConfig(std=0.25).fit(*demonstrations)


@dataclass(frozen=True)
class Problem:
    """A GP with drawn hyper-parameters, data, and states to ask about."""

    kernel: KernelName
    model: GPModel
    data: TrainingData
    queries: Tensor

    @property
    def hyperparameters(self) -> Hyperparameters:
        return self.model.hyperparameters()


def _draw(kernel: KernelName, n: int, s: int, a: int, rank: int, seed: int = 0) -> Problem:
    generator = torch.Generator().manual_seed(seed)
    model = GPModel(kernel, s, a, rank)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator).double())
        model.likelihood.raw_task_noises.sub_(3.0)
    states = torch.randn(n, s, generator=generator)
    actions = torch.rand(n, a, generator=generator) * 2.0 - 1.0
    data = TrainingData.check(states, actions, torch.ones(n))
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


@pytest.fixture
def distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Callable[[], Any]]:
    """Write a distribution with one module and entry points in group `nppac.priors`.

    `distribution("acme-priors", "2.1", "acme", source)` puts module `acme` on the path with entry
    point `acme = acme`; `entry_points={name: value}` replaces that one.
    """
    monkeypatch.syspath_prepend(str(tmp_path))
    for variable in ("NPPAC_PLUGINS", "NPPAC_WITHOUT_PLUGINS", "NPPAC_STRICT_PLUGINS"):
        monkeypatch.delenv(variable, raising=False)

    def write(
        name: str,
        version: str,
        module: str,
        source: str,
        entry_points: dict[str, str] | None = None,
        group: str = "nppac.priors",
    ) -> None:
        (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.delitem(sys.modules, module, raising=False)
        info = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"{ep} = {value}" for ep, value in (entry_points or {module: module}).items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]) + "\n")
        importlib.invalidate_caches()

    before = set(sys.modules)
    yield write
    for module in set(sys.modules) - before:
        file = getattr(sys.modules[module], "__file__", None)
        if file and file.startswith(str(tmp_path)):
            del sys.modules[module]


PLUGIN_SOURCE = """
from typing import Literal
from nppac_priors import PriorConfig, hookimpl

class {cls}(PriorConfig):
    kind: Literal["{kind}"] = "{kind}"
    width: int = 1
    def _fit(self, states, actions, **options): raise NotImplementedError
    def from_state(self, tensors, *, device="cpu"): raise NotImplementedError

@hookimpl
def nppac_prior_configs():
    return [{cls}]
"""


@pytest.fixture
def plugin_source() -> Callable[..., str]:
    """Source of a plugin module with one config class."""

    def source(kind: str, cls: str = "PluginConfig") -> str:
        return PLUGIN_SOURCE.format(kind=kind, cls=cls)

    return source
