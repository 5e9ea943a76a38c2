"""The stretches that an agent's learning is made of, and what the learning loop asks of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.data.transitions import Transitions

Losses = dict[str, "Tensor"]
"""What one update reports: scalars that stay on the device until somebody reads them."""


def step(agent: Agent, batch: Any) -> Losses:
    """The update of most phases: the method's own."""
    return agent.step(batch)


def minibatch(agent: Agent, replay: TensorReplay | None) -> Any:
    """What most phases learn from: transitions drawn from the replay."""
    assert replay is not None
    return replay.sample_transitions(agent.method.batch_size)


def stored(agent: Agent, replay: TensorReplay | None) -> Transitions:
    """All that the replay holds, in time order, as it is kept for a method without minibatches."""
    assert replay is not None
    return replay.in_order()


def fresh(agent: Agent, replay: TensorReplay | None) -> Transitions:
    """All that the replay holds, in time order; the replay then forgets it (on-policy)."""
    assert replay is not None
    batch = stored(agent, replay)
    replay.reset(keep_statistics=True)
    return batch


@dataclass(frozen=True)
class Phase:
    """A stretch of learning; a method lists its phases in order.

    Without interaction it is counted in updates, with it in environment steps.
    """

    name: str
    """What metrics and console call it"""
    length: int | None = None
    """Updates or, if it interacts, environment steps of the run; None for what training says"""
    interacts: bool = False
    """Whether the environments are stepped with the current policy"""
    update: Callable[[Agent, Any], Losses] | None = step
    """One update on what `batch` gives; None if the phase only collects"""
    batch: Callable[[Agent, TensorReplay | None], Any] = minibatch
    """What one update learns from"""
    evaluates: bool = True
    """Whether the policy that acts changes in it, so that it is evaluated on the way"""
    prepares: bool = False
    """Whether it makes the starting policy, before the first evaluation"""
    error: Callable[[Agent, TensorReplay], float] | None = None
    """What ends it before its length, once it falls no further; None if nothing does"""
    steps_per_update: int | None = None
    """Environment steps that one update consumes (on-policy); None for what training says"""


ONLINE = Phase("online", interacts=True)
"""Interaction and updates to the end of the experiment"""


def cloning(
    updates: int, update: Callable[[Agent, Transitions], Losses], batch_size: int
) -> list[Phase]:
    """Fits the first policy to minibatches of demonstrations; no phase for no updates."""
    if not updates:
        return []

    def batch(agent: Agent, replay: TensorReplay | None) -> Transitions:
        return agent.draw_demonstrated(batch_size)

    return [Phase("pretrain", updates, update=update, batch=batch, prepares=True)]


def updating(name: str, updates: int, update: Callable[[Agent, Any], Losses] = step) -> list[Phase]:
    """Updates on what the replay holds, without interaction; no phase for none."""
    return [Phase(name, updates, update=update)] if updates else []


def offline(updates: int) -> list[Phase]:
    """The method's own updates, without interaction; no phase for none."""
    return updating("offline", updates)


def rollouts(env_steps: int) -> list[Phase]:
    """The policy fills the replay up to so many steps, without updates; no phase for none."""
    return [Phase("rollouts", env_steps, interacts=True, update=None)] if env_steps else []
