"""Builders that the tests of all methods share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from method_table import SMALL, configured
from nppac_agents.data.transitions import Transitions, columns_of
from nppac_agents.experiment.registries import agent_registry


@pytest.fixture
def build(spaces, prior, demonstrations):
    """Builds a small agent of a kind, given what its method uses."""

    def build(kind: str, seed: int = 0, **settings: Any):
        config = configured(agent_registry().get(kind), SMALL, settings)
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
            states=normal(size, 4),
            actions=normal(size, 2),
            rewards=normal(size),
            discounts=torch.full((size,), 0.99),
            next_states=normal(size, 4),
            terminated=flags,
            truncated=flags.clone(),
            prior_mean=normal(size, prior_dim).tanh(),
            prior_std=spread,
            next_prior_mean=normal(size, prior_dim).tanh(),
            next_prior_std=spread.clone(),
            extra={
                "return_to_go": normal(size),
                "return_ahead": normal(size),
                "previous_actions": normal(size, 2).tanh(),
            },
        )

    return draw


@pytest.fixture
def randomise():
    """Gives an agent's networks something to say, instead of nearly zero outputs."""

    def randomise(agent):
        generator = torch.Generator().manual_seed(9)
        for name, parameter in agent.named_parameters():
            if "temperature" not in name:
                parameter.data.normal_(0, 0.3, generator=generator)
        return agent

    return randomise


@pytest.fixture
def ending():
    """A batch whose transitions end as given, (B,) flags, discounted as the agent's method says."""

    def ending(agent, batch, terminated=None, truncated=None):
        none = torch.zeros_like(batch.rewards)
        terminated, truncated = (
            none if flags is None else torch.tensor(flags).to(none)
            for flags in (terminated, truncated)
        )
        discounts = agent.method.discounting().discounts(terminated, truncated)
        return replace(batch, terminated=terminated, truncated=truncated, discounts=discounts)

    return ending


@pytest.fixture
def doubled():
    """A batch in float64."""

    def doubled(batch):
        columns = columns_of(batch)
        extra = {name: column.double() for name, column in columns.pop("extra").items()}
        return Transitions(
            **{name: column.double() for name, column in columns.items()}, extra=extra
        )

    return doubled


@pytest.fixture
def critic_target():
    """The target (B,) of an agent's critics on a batch."""

    def critic_target(agent, batch):
        with torch.no_grad():
            return batch.rewards + batch.discounts * agent.method.next_value(agent, batch)

    return critic_target


@pytest.fixture
def actor_loss(monkeypatch):
    """The loss that an actor step descends, with its gradient; no part moves."""

    def actor_loss(agent, batch):
        losses = []
        with monkeypatch.context() as patched:
            for part in agent.parts:
                patched.setattr(part, "descend", lambda loss: (losses.append(loss), loss)[1])
                patched.setattr(part, "along", lambda gradient: gradient)
            agent.method.actor_step(agent, batch)
        return losses[0]

    return actor_loss


@pytest.fixture
def policy_gradient():
    """The gradient (P,) of a loss with respect to the policy's weights."""

    def policy_gradient(agent, loss):
        gradients = torch.autograd.grad(loss, agent.parts.policy.weights)
        return torch.cat([gradient.flatten() for gradient in gradients])

    return policy_gradient
