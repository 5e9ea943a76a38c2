"""What methods share that fit a model of the environment before all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from nppac_priors.errors import ConfigError
from pydantic import Field, model_validator

from nppac_agents import parts
from nppac_agents.methods.base import LearningRate, Width
from nppac_agents.methods.offline_first import OfflineFirst
from nppac_agents.phase import Losses, Phase

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior

    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Dynamics, ImaginedRows
    from nppac_agents.spaces import Spaces

HELD_OUT = 5
"""One in so many demonstrated transitions is held out from the model's data"""
MOST_HELD_OUT = 5_000


class ModelFirst(OfflineFirst):
    """One that learns from what a model of the environment imagines, `parts.dynamics`.

    The model is fitted to the demonstrated transitions but for every fifth one (at most 5,000 of
    them), until its error on these falls no further.
    """

    gaussian_model: ClassVar[bool] = True
    """Whether the model has a standard deviation; else its networks minimise squared errors"""

    model_updates: int = Field(default=100_000, ge=0)
    """Largest number of updates that fit the model, first of all."""
    refit_model: bool = False
    """Go on fitting it to what the replay holds, one update with each other one."""
    model_members: int = Field(default=7, ge=1, le=100)
    """Networks of the model."""
    model_elites: int = Field(default=5, ge=1, le=100)
    """Those of them, with the lowest held-out errors, through which it is asked."""
    model_learning_rate: LearningRate = 1e-3
    """Adam's rate for the model."""
    model_hidden: tuple[Width, ...] = (200, 200, 200, 200)
    """Hidden widths of each of its networks."""

    @model_validator(mode="after")
    def _elites_are_members(self) -> Self:
        if self.model_elites > self.model_members:
            raise ValueError(
                f"model_elites {self.model_elites} is above model_members {self.model_members}; "
                "choose at most all of them"
            )
        return self

    def require(
        self, spaces: Spaces, prior: Prior | None, demonstrations: Demonstrations | None
    ) -> None:
        """Demonstrations, of which some can be held out."""
        super().require(spaces, prior, demonstrations)
        known = 0 if demonstrations is None else len(demonstrations)
        if known < HELD_OUT:
            raise ConfigError(
                f"agent: {self.kind!r} fits a model, of whose data it holds one in {HELD_OUT} "
                f"out, and there are {known} demonstrated transitions; give it more"
            )

    def dynamics(
        self, agent: Agent, generator: torch.Generator, imagined: ImaginedRows | None = None
    ) -> Dynamics:
        """The part of the model, in units of the demonstrations, and what it has imagined."""
        shown = agent.layout.unpack(agent.demonstrated)
        networks = parts.DynamicsEnsemble if self.gaussian_model else parts.Regressors
        ensemble = networks.draw(
            self.model_members,
            self.model_hidden,
            parts.cat([shown.states, shown.actions], dim=1),
            parts.outcomes_of(shown.states, shown.rewards, shown.next_states),
            generator,
        )
        elites, rate = self.model_elites, self.model_learning_rate
        return parts.Dynamics(ensemble, rate, elites=elites, imagined=imagined)

    def refit(self, agent: Agent, batch: Transitions) -> Losses:
        """The model's step where it goes on learning."""
        return self.fit_model(agent, batch) if self.refit_model else {}

    def fit_model(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of every member, each on `batch_size` draws of its own from the batch."""
        model: Dynamics = agent.parts.model
        shape = model.members, self.batch_size
        rows = parts.integers(len(batch.states), shape, agent.noise)
        outcomes = parts.outcomes_of(batch.states, batch.rewards, batch.next_states)
        loss = model.net.loss(batch.states[rows], batch.actions[rows], outcomes[rows])
        return {"model_grad_norm": model.descend(loss), "model_loss": loss / model.members}

    def known(self, agent: Agent, replay: TensorReplay | None) -> Transitions:
        """A minibatch for each member, of the demonstrations that are not held out."""
        every, total = held_out_every(agent), len(agent.demonstrated)
        size = self.model_members * self.batch_size
        ranks = parts.integers(total - total // every, (size,), agent.noise)
        return agent.layout.unpack(agent.demonstrated[ranks + ranks // (every - 1)])

    def held_out_error(self, agent: Agent, replay: TensorReplay | None) -> float:
        """The elites' squared error on what is held out, in variances; chooses them anew."""
        every = held_out_every(agent)
        shown = agent.layout.unpack(agent.demonstrated[every - 1 :: every])
        outcomes = parts.outcomes_of(shown.states, shown.rewards, shown.next_states)
        return agent.parts.model.judge(shown.states, shown.actions, outcomes).item()

    def phases(self, agent: Agent) -> list[Phase]:
        """The model, then offline, then online."""
        fit = Phase(
            "model",
            self.model_updates,
            update=self.fit_model,
            batch=self.known,
            error=self.held_out_error,
            evaluates=False,
        )
        return [*([fit] if self.model_updates else []), *super().phases(agent)]


def held_out_every(agent: Agent) -> int:
    """One in how many demonstrated transitions is held out."""
    return max(HELD_OUT, len(agent.demonstrated) // MOST_HELD_OUT)
