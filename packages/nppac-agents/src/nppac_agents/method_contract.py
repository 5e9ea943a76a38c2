"""The seam between methods and whoever calls them: what a method returns is checked here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from nppac_priors.plugin_origin import broken_contract, described
from torch import Tensor

from nppac_agents.parts.part import Part
from nppac_agents.phase import Losses, Phase

if TYPE_CHECKING:
    from nppac_agents.methods.base import Method


def checked_parts(parts: Any, method: Method) -> Any:
    """What `Method.parts` returned.

    Raises:
        PluginFaultError, ContractError: it is no named tuple of parts, or without a policy.
    """
    names = getattr(parts, "_fields", ())
    if not names or not all(isinstance(part, Part) for part in parts):
        returned = f"parts() returned {described(parts)}"
        raise _broken(method, f"{returned}, has to return a named tuple of Part objects")
    return parts


def checked_phases(phases: Any, method: Method) -> list[Phase]:
    """What `Method.phases` returned.

    Raises:
        PluginFaultError, ContractError: it is no list of phases, or one has no end.
    """
    if not isinstance(phases, list) or not phases:
        raise _broken(method, f"phases() returned {described(phases)}, has to return some phases")
    for phase in phases:
        if not isinstance(phase, Phase):
            raise _broken(method, f"phases() holds {described(phase)}, has to hold Phase objects")
        collects = phase.interacts and phase.update is None
        if phase.length is None and (collects or not phase.interacts):
            raise _broken(method, f"its phase {phase.name!r} has no length")
    return phases


def checked_losses(losses: Any, method: Method) -> Losses:
    """What an update returned, without gradient; whether it is finite is read later, all at once.

    Raises:
        PluginFaultError, ContractError: it is no dictionary of scalar tensors.
    """
    if not isinstance(losses, dict):
        raise _broken(method, f"update() returned {described(losses)}, has to return a dict")
    for name, value in losses.items():
        if not isinstance(value, Tensor) or math.prod(value.shape) != 1:
            returned = f"update() returned {described(value)} as {name!r}"
            raise _broken(method, f"{returned}, has to be a scalar tensor")
    return {k: v.detach() if v.requires_grad else v for k, v in losses.items()}


def checked_actions(actions: Any, method: Method, shape: tuple[int, int]) -> Tensor:
    """What `Method.act` returned, so that no environment broadcasts it.

    Raises:
        PluginFaultError, ContractError: it is no tensor of that shape.
    """
    if not isinstance(actions, torch.Tensor) or actions.shape != shape:
        problem = f"act() returned {described(actions)}, has to return shape {shape}"
        raise _broken(method, problem)
    return actions


def _broken(method: Method, problem: str) -> Exception:
    return broken_contract(method, "agent", problem)
