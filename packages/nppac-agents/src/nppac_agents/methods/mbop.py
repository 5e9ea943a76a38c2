"""MBOP: it plans in a model from what the data's behaviour would do (Argenson, Dulac-Arnold 2021).

    model       first, regressions f_m(s, a) -> (r, s' - s), of which the elites are asked
    behaviour   K regressions f_b(s, a_before) -> a
    value       K regressions f_R(s, a) -> the sum of the next `return_horizon` rewards
    acting      the first action of a plan, `parts.planning`, over `horizon` steps

by squared errors in deviations of the data, with as many behaviours and values as the model has
elites. A horizon of 0 acts by the mean of f_b, an ensemble that clones.

Acting knows the state alone, so that every plan is made from nothing, in `rounds`: the first has no
earlier plan to be mixed with, the next the one just made. The source goes on from the plan of the
step before, and f_b knows the action that was taken there. Here it begins without one, as in the
first step of an episode, and learns half of its samples so.

f_R asks at the last state for the action of f_b; the acme library's asks for the one before. The
model knows no ends, as in the source. Values are those of acme, where sigma is in deviations too;
the paper's are by task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from nppac_agents import parts
from nppac_agents.data.discounting import Discounting
from nppac_agents.methods.base import LearningRate, Width, inherited
from nppac_agents.methods.model_first import ModelFirst
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Dynamics, Part

UNNAMED = 0.5
"""Share of its samples that the behaviour learns without the action before"""


class MBOPParts(NamedTuple):
    """What MBOP learns with; its policy is the behaviour."""

    policy: Part
    value: Part
    model: Dynamics


class MBOP(ModelFirst):
    """MBOP: planning in a model, from what a clone would do (Argenson, Dulac-Arnold 2021)."""

    columns: ClassVar[tuple[str, ...]] = ("previous_actions", "return_ahead")
    gaussian_model: ClassVar[bool] = False

    kind: Literal["mbop"] = "mbop"  # pyright: ignore[reportIncompatibleVariableOverride]
    horizon: int = Field(default=15, ge=0, le=1000)
    """H, steps of a plan."""
    trajectories: int = Field(default=100, ge=1, le=65536)
    """Trajectories of which a plan is the weighted mean, as many through each elite (acme: 1,000,
    ten times the time of an action)."""
    sigma: float = Field(default=0.8, ge=0)
    """Noise of the trajectories' actions, in standard deviations of the data's."""
    beta: float = Field(default=0.2, ge=0, le=1)
    """Share of the plan of the round before in each action."""
    kappa: float = Field(default=0.5, ge=0)
    """Weight of the returns in the exponent; 0 is the plain mean."""
    rounds: int = Field(default=2, ge=1, le=100)
    """Plans for each action, each from the one before."""
    return_horizon: int = Field(default=10, ge=1, le=1000)
    """Rewards of the returns that f_R learns."""
    offline_updates: int = inherited(ModelFirst, "offline_updates", 100_000)
    model_members: int = inherited(ModelFirst, "model_members", 5)
    standardise_states: Literal[True] = True  # pyright: ignore[reportIncompatibleVariableOverride]
    """Its networks see everything in deviations of the data."""
    model_hidden: tuple[Width, ...] = (64, 64)
    """Hidden widths of each network of the model."""
    policy_hidden: tuple[Width, ...] = (64, 64)
    """Hidden widths of each network of the behaviour."""
    policy_learning_rate: LearningRate = 1e-3
    """Adam's rate for the behaviour."""
    value_hidden: tuple[Width, ...] = (64, 64)
    """Hidden widths of each network of the value."""
    value_learning_rate: LearningRate = 1e-3
    """Adam's rate for the value."""

    @model_validator(mode="after")
    def _elites_share_trajectories(self) -> Self:
        if self.trajectories % self.model_elites:
            raise ValueError(
                f"trajectories {self.trajectories} cannot be shared by model_elites "
                f"{self.model_elites}; choose a multiple"
            )
        return self

    def parts(self, agent: Agent, generator: torch.Generator) -> MBOPParts:
        """Behaviours and values, one for each elite, and the model."""
        shown = agent.layout.unpack(agent.demonstrated)
        before = shown.extra["previous_actions"]
        given = parts.cat([shown.states, before], dim=1), shown.actions
        behaviour = parts.Regressors.draw(self.model_elites, self.policy_hidden, *given, generator)
        ahead = shown.extra["return_ahead"].unsqueeze(1)
        given = parts.cat([shown.states, shown.actions], dim=1), ahead
        value = parts.Regressors.draw(self.model_elites, self.value_hidden, *given, generator)
        return MBOPParts(
            parts.Part(behaviour, self.policy_learning_rate),
            parts.Part(value, self.value_learning_rate),
            self.dynamics(agent, generator),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """The model where it goes on learning, the behaviours, the values."""
        losses = self.refit(agent, batch) | self.behaviour_step(agent, batch)
        return losses | self.value_step(agent, batch)

    def behaviour_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of every behaviour, on draws of its own, half without the action before."""
        shape, part = (self.model_elites, self.batch_size), agent.parts.policy
        rows = parts.integers(len(batch.states), shape, agent.noise)
        named = parts.uniform((*shape, 1), agent.noise) >= UNNAMED
        before = batch.extra["previous_actions"][rows] * named
        loss = part.net.loss(batch.states[rows], before, batch.actions[rows].clamp(-1, 1))
        return {"actor_grad_norm": part.descend(loss), "actor_loss": loss / self.model_elites}

    def value_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of every value, on draws of its own; episodes that go on have no return yet."""
        shape, part = (self.model_elites, self.batch_size), agent.parts.value
        rows = parts.integers(len(batch.states), shape, agent.noise)
        ahead = batch.extra["return_ahead"][rows].unsqueeze(2)
        known = (ahead > parts.UNKNOWN).to(ahead.dtype)
        errors = part.net.errors(batch.states[rows], batch.actions[rows], known * ahead) * known
        loss = (errors.sum(1) / known.sum(1).clamp(min=1)).sum()
        return {"value_grad_norm": part.descend(loss), "value_loss": loss / self.model_elites}

    def act(self, agent: Agent, states: Tensor, *, deterministic: bool) -> Tensor:
        """The first action of a plan, whose noise is the same everywhere if deterministic."""
        behaviour = agent.parts.policy
        if not self.horizon:
            before = states.new_zeros(len(states), agent.spaces.action_dim)
            return behaviour(states, before).mean(0).clamp(-1, 1)
        each = self.trajectories // self.model_elites
        shape = self.rounds, self.horizon, self.model_elites, each
        if deterministic:
            noise = parts.fixed_normal((*shape, 1, agent.spaces.action_dim), states.device)
        else:
            noise = parts.normal((*shape, len(states), agent.spaces.action_dim), agent.acting)
        return self.planner(agent).plan(states, noise.to(states.dtype))[0]

    def planner(self, agent: Agent) -> parts.Planner:
        """What plans with the networks as they are."""
        behaviour, value, model = agent.parts
        return parts.Planner(
            behaviour=behaviour,
            model=model.expected,
            value=lambda states, actions: (
                value(states.flatten(0, 1), actions.flatten(0, 1)).mean(0).view(states.shape[:-1])
            ),
            sigma=self.sigma * behaviour.net.scale,
            beta=self.beta,
            kappa=self.kappa,
        )

    def discounting(self) -> Discounting:
        """Nothing is backed up; returns have `return_horizon` rewards."""
        return Discounting(1.0, horizon=self.return_horizon)
