"""Builders that the tests of all methods share."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from nppac_agents.experience.transitions import Transitions
from nppac_agents.experiment.registries import agent_registry

SMALL: dict[str, Any] = {"policy_hidden": (16,), "batch_size": 32}


@pytest.fixture
def build(spaces, prior, demonstrations):
    """Builds a small agent of a kind, given what its method uses."""

    def build(kind: str, seed: int = 0, **settings: Any):
        cls = agent_registry().get(kind)
        fields = SMALL | settings
        if "critic_hidden" in cls.model_fields:
            fields = {"critic_hidden": (16,)} | fields
        config = cls(**fields)
        given = prior if config.uses_prior else None
        generator = torch.Generator().manual_seed(seed)
        return config.build(spaces, given, demonstrations, generator=generator)

    return build


@pytest.fixture
def random_batch():
    """B transitions with 4 states and 2 actions; rewards, states and actions standard normal."""

    def draw(size: int = 32, seed: int = 3, prior_std: float | None = None) -> Transitions:
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape: int):
            return torch.randn(*shape, generator=generator)

        flags = torch.zeros(size)
        prior_dim = 0 if prior_std is None else 2
        spread = torch.full((size, prior_dim), prior_std or 0.0)
        return Transitions(
            normal(size, 4), normal(size, 2), normal(size), flags, flags.clone(), normal(size, 4),
            normal(size, prior_dim).tanh(), spread, normal(size, prior_dim).tanh(), spread.clone(),
        )  # fmt: skip

    return draw


@pytest.fixture
def randomise():
    """Gives an agent's networks something to say, instead of nearly zero outputs."""

    def randomise(agent):
        generator = torch.Generator().manual_seed(9)
        for name, parameter in agent.named_parameters():
            if "log_alpha" not in name:
                parameter.data.normal_(0, 0.3, generator=generator)
        return agent

    return randomise


@pytest.fixture
def double():
    """An agent or a batch in float64, where what is equal on paper is equal to rounding.

    In float32 two ways to the same number differ by what the processor's instructions make of
    them: a batch of one goes through another product than a batch of 32.
    """

    def double(part):
        if isinstance(part, torch.nn.Module):
            return part.double()
        return Transitions(*(field.double() for field in part))

    return double


@pytest.fixture
def critic_target():
    """The method's critic target on a batch."""

    def critic_target(agent, batch):
        with torch.no_grad():
            return agent.method.critic_target(agent, batch)

    return critic_target
