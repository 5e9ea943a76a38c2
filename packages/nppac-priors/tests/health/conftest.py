"""Fixtures: demonstrations on a line, and priors whose std is a known function of the distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch
from nppac_priors.config import PriorConfig
from nppac_priors.data import demonstration_tensors, hash_data
from nppac_priors.episodes import Episodes, HeldOutSplit
from nppac_priors.health.assessment import Examination
from nppac_priors.prior import GaussianPrior
from torch import Tensor

NOISE = 0.1
WIDTH = 4


class ShapedConfig(PriorConfig):
    """Mean 0; the std is a function of the norm of the state."""

    kind: Literal["shaped"] = "shaped"
    steps: int = 8

    def _fit(self, states: Any, actions: Any, **_: Any) -> ShapedPrior:
        """The std off the data is 0.1 / steps."""
        states, actions = demonstration_tensors(states, actions)
        steps = self.steps
        return ShapedPrior(
            self,
            lambda norm: torch.where(norm < 5, NOISE, NOISE / steps),
            hash_data(states, actions),
        )

    def from_state(self, tensors: dict[str, Tensor], *, device: Any = "cpu") -> ShapedPrior:
        raise NotImplementedError


class ShapedPrior(GaussianPrior):
    def __init__(
        self, config: ShapedConfig, std: Callable[[Tensor], Tensor], data_hash: str = ""
    ) -> None:
        super().__init__(config, state_dim=WIDTH, action_dim=2, data_hash=data_hash)
        self.std = std

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        return {}

    def _to(self, device: Any) -> ShapedPrior:
        return self

    def tensors(self, states: Tensor) -> tuple[Tensor, Tensor]:
        std = self.std(states.norm(dim=1))
        return torch.zeros(len(states), 2), std[:, None].expand(-1, 2)


@pytest.fixture(scope="session")
def shaped() -> Callable[..., ShapedPrior]:
    """A prior from a function of the norm of the states (B,)."""
    return lambda std, **options: ShapedPrior(ShapedConfig(), std, **options)


@pytest.fixture
def shaped_config() -> type[ShapedConfig]:
    return ShapedConfig


@pytest.fixture(scope="session")
def split() -> HeldOutSplit:
    """Ten episodes of 40 standard normal states (of width 4); actions are noise of std 0.1."""
    draw = np.random.default_rng(0)
    states = draw.standard_normal((400, WIDTH))
    actions = np.clip(NOISE * draw.standard_normal((400, 2)), -1, 1)
    episodes = Episodes(states, actions, np.full(10, 40))
    return episodes.hold_out(0.3, torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def examination(split) -> Examination:
    return Examination(split, generator=torch.Generator().manual_seed(0))
