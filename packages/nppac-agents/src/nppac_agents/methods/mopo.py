"""MOPO: SAC on what an ensemble of models imagines, at the price of their spread (Yu et al. 2020).

    model       K Gaussian networks of (r, s' - s), fitted first (`parts.dynamics`)
    imagine     from states of the minibatch h steps of the policy, each by an elite that is drawn,
                with rewards r - lambda max_k |sigma_k(s, a)|
    minibatch   `real_share` of it as drawn from the replay, the rest from what was imagined
                in the last `kept_updates`
    update      SAC's, on that minibatch

lambda is `penalty`, h `rollout_length`; with lambda = 0 it trusts its model wherever it is led. The
source imagines 50,000 rollouts every 1,000 updates, here each update imagines 50.

The model predicts no ends. Where the task has some, `ends_outside` is its rule, as in the source:
an imagined state outside is terminal, and its rollout begins anew. Tasks that only time limits end
(halfcheetah) need none.

Once it interacts, `refit_model` fits the model to that too; the source is offline alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from nppac_priors.errors import ConfigError
from pydantic import Field, model_validator

from nppac_agents import parts
from nppac_agents.methods.model_first import ModelFirst
from nppac_agents.methods.sac import SAC
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Dual, Dynamics, Part
    from nppac_agents.spaces import Spaces

Range = tuple[Annotated[int, Field(ge=0)], float, float]


class MOPOParts(NamedTuple):
    """What MOPO learns with."""

    policy: Part
    critic: Critics
    temperature: Dual
    model: Dynamics


class MOPO(ModelFirst, SAC):
    """MOPO: SAC on imagined rollouts that pay for the model's spread (Yu et al. 2020)."""

    kind: Literal["mopo"] = "mopo"  # pyright: ignore[reportIncompatibleVariableOverride]
    penalty: float = Field(default=1.0, ge=0)
    """Lambda, the price of the model's spread (source: 0.5 to 5, by task)."""
    rollout_length: int = Field(default=5, ge=1, le=1000)
    """h, imagined steps of a rollout (source: 1 or 5)."""
    rollouts_per_update: int = Field(default=50, ge=1, le=65536)
    """Rollouts that an update imagines, from the first states of its minibatch."""
    kept_updates: int = Field(default=5_000, ge=1)
    """Latest updates whose rollouts are kept to learn from; a checkpoint holds them too."""
    real_share: float = Field(default=0.05, ge=0, le=1)
    """Share of the minibatch that was not imagined."""
    ends_outside: tuple[Range, ...] = ()
    """Index, least and largest value of observations outside of which the task ends: for the
    hopper `[[0, 0.7, 100], [1, -0.2, 0.2]]`, for the walker `[[0, 0.8, 2], [1, -1, 1]]`."""
    target_entropy: float | None = -0.5
    """Tune alpha so that the policy's entropy stays at this many nats per action dimension (source:
    -3 for halfcheetah's six); null keeps alpha fixed."""

    @model_validator(mode="after")
    def _model_learns_single_steps(self) -> Self:
        if self.refit_model and self.n_steps > 1:
            raise ValueError("refit_model fits the model to single steps; set n_steps to 1")
        return self

    @model_validator(mode="after")
    def _ranges_hold_something(self) -> Self:
        for index, least, largest in self.ends_outside:
            if least >= largest:
                raise ValueError(
                    f"ends_outside: [{index}, {least:g}, {largest:g}] holds no value; give the "
                    "least before the largest"
                )
        return self

    def require(
        self, spaces: Spaces, prior: Prior | None, demonstrations: Demonstrations | None
    ) -> None:
        """Demonstrations; the task's rule where some of them end."""
        super().require(spaces, prior, demonstrations)
        outside = [index for index, *_ in self.ends_outside if index >= spaces.state_dim]
        if outside:
            raise ConfigError(
                f"agent.ends_outside: there is no observation {outside[0]}, they end with "
                f"{spaces.state_dim - 1}"
            )
        assert demonstrations is not None
        ends = demonstrations.terminations
        if ends is not None and ends.any() and not self.ends_outside:
            raise ConfigError(
                f"agent.ends_outside: {ends.sum()} demonstrations end in a terminal state, and "
                "the model of 'mopo' predicts none; say outside of which observations the task ends"
            )

    def parts(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, agent: Agent, generator: torch.Generator
    ) -> MOPOParts:
        """SAC's, and the model with what it has imagined."""
        capacity = self.kept_updates * self.rollouts_per_update * self.rollout_length
        imagined = parts.ImaginedRows(capacity, agent.layout.width)
        model = self.dynamics(agent, generator, imagined)
        return MOPOParts(*super().parts(agent, generator), model)

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """The model where it goes on learning, rollouts, then SAC on both kinds of transitions."""
        losses = self.refit(agent, batch)
        losses |= self.imagine(agent, batch.states[: self.rollouts_per_update])
        return losses | super().update(agent, self.mixed(agent, batch))

    def mixed(self, agent: Agent, batch: Transitions) -> Transitions:
        """The first of a minibatch, with as many imagined transitions as are missing."""
        size = len(batch.states)
        real = int(self.real_share * size)
        imagined = agent.parts.model.imagined.draw(size - real, agent.noise)
        return batch[:real].followed_by(agent.layout.unpack(imagined))

    def imagine(self, agent: Agent, starts: Tensor) -> Losses:
        """Stores rollouts of the policy from states (N, S)."""
        learned, layout, states = agent.parts, agent.layout, starts
        paid = []
        for _ in range(self.rollout_length):
            with parts.no_grad():
                actions, _ = learned.policy(states).sample(agent.noise)
            step = learned.model.step(states, actions.clamp(-1, 1), agent.noise)
            paid.append(self.penalty * step.spread)
            ended = self.ended(step.next_states)
            columns = {
                "states": states,
                "actions": actions,
                "rewards": step.rewards - paid[-1],
                "next_states": step.next_states,
                "terminated": ended,
                "truncated": ended.new_zeros(ended.shape),
            }
            learned.model.imagined.add(layout.pack(columns))
            states = starts.where(ended.bool().unsqueeze(1), step.next_states)
        return {"penalty": parts.stack(paid).mean()}

    def ended(self, states: Tensor) -> Tensor:
        """1.0 where the task ends in states (N, S), else 0.0, (N,)."""
        ended = states.new_zeros(len(states))
        for index, least, largest in self.ends_outside:
            seen = states[:, index]
            ended = ended.maximum(((seen < least) | (seen > largest)).to(ended.dtype))
        return ended
