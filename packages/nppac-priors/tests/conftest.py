"""Fixtures: a prior with a known closed form, and distributions that exist only on `sys.path`."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from nppac_priors.config import PriorConfig
from nppac_priors.data import demonstration_tensors, hash_data
from nppac_priors.plugin_loading import Component
from nppac_priors.prior import GaussianPrior
from nppac_priors.registry import Registry
from pydantic import Field


class LinearConfig(PriorConfig):
    """Mean is `states @ weight`, std is constant."""

    kind: Literal["linear"] = "linear"
    std: float = Field(0.5, gt=0)

    def fit(self, states: Any, actions: Any, **_: Any) -> LinearPrior:
        states, actions = demonstration_tensors(states, actions)
        weight = torch.linalg.lstsq(states, actions).solution
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

    def to(self, device: Any) -> LinearPrior:
        return LinearPrior(self.config, self.weight.to(device), self.data_hash)

    def _moments(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = states @ self.weight
        return mean, torch.full_like(mean, self.std)


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


@pytest.fixture
def distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Callable[[], Any]]:
    """Write a distribution with one module and entry points in group `nppac.priors`.

    `distribution("acme-priors", "2.1", "acme", source)` puts module `acme` on the path with entry
    point `acme = acme`; `entry_points={name: value}` replaces that one.
    """
    monkeypatch.syspath_prepend(str(tmp_path))
    for variable in ("NPPAC_PLUGINS", "NPPAC_STRICT_PLUGINS"):
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
    def fit(self, states, actions, **options): raise NotImplementedError
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
