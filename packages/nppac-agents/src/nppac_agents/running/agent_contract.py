"""The seam between agents and the loop that runs them: what an agent returns is checked here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from nppac_priors.plugin_origin import broken_contract, described

from nppac_agents.acting import ActingPolicy
from nppac_agents.agent import Agent
from nppac_agents.phase import Losses, Phase

if TYPE_CHECKING:
    from nppac_agents.config import AgentConfig


def checked_agent(agent: object, config: AgentConfig) -> Agent:
    """What `AgentConfig.build` returned.

    Raises:
        PluginFaultError, ContractError: it is no agent, or its policy is none.
    """
    if not isinstance(agent, Agent):
        raise _broken(config, f"build() returned {described(agent)}, has to return an Agent")
    policy: Any = agent.policy
    if not isinstance(policy, ActingPolicy):
        raise _broken(config, f"its policy is {described(policy)}, has to be an ActingPolicy")
    return agent


def checked_phases(phases: object, config: AgentConfig) -> list[Phase]:
    """What `Agent.phases` returned.

    Raises:
        PluginFaultError, ContractError: it is no list of phases, or one has no length.
    """
    if not isinstance(phases, list) or not phases:
        raise _broken(config, f"phases() returned {described(phases)}, has to return some phases")
    for phase in phases:
        if not isinstance(phase, Phase):
            raise _broken(config, f"phases() holds {described(phase)}, has to hold Phase objects")
        if phase.name not in _LENGTHS:
            known = ", ".join(map(repr, _LENGTHS))
            raise _broken(config, f"phases() holds {phase.name!r}, there are {known}")
        for field in _LENGTHS[phase.name]:
            if getattr(phase, field) is None:
                raise _broken(config, f"its phase {phase.name!r} has no {field}")
    return phases


def checked_losses(losses: object, config: AgentConfig) -> Losses:
    """What an update returned; whether the values are finite is read later, all at once.

    Raises:
        PluginFaultError, ContractError: it is no dictionary of scalar tensors.
    """
    if not isinstance(losses, dict):
        raise _broken(config, f"step() returned {described(losses)}, has to return a dict")
    for name, value in losses.items():
        if not isinstance(value, torch.Tensor) or math.prod(value.shape) != 1:
            raise _broken(
                config, f"step() returned {described(value)} as {name!r}, has to be a scalar tensor"
            )
    return losses


_LENGTHS: dict[str, tuple[str, ...]] = {
    "pretrain": ("updates", "step"),
    "rollouts": ("env_steps",),
    "offline": ("updates",),
    "online": (),
}
"""Phases by name, with the fields that each needs."""


def _broken(config: AgentConfig, problem: str) -> Exception:
    return broken_contract(config, "agent", problem)
