"""What every method is: its typed configuration together with its equations.

A method states the parts that learn, the order of its updates, its phases and how it acts; there is
one `Agent`, which holds the parts and calls it. Importing a method costs nothing: torch comes in
with the tensors, and with `nppac_agents.parts` when an agent is built.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, final

from nppac_priors.config import ComponentConfig
from nppac_priors.errors import ConfigError
from pydantic import Field

from nppac_agents import parts
from nppac_agents.data.discounting import Discounting
from nppac_agents.data.goal_shares import GoalShares
from nppac_agents.phase import ONLINE, Losses, Phase
from nppac_agents.requirements import (
    require_demonstrations,
    require_dimensions,
    require_gaussian_prior,
    require_goals,
    require_rewards,
)

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import PolicyNetwork, Standardiser, TrustRegion
    from nppac_agents.parts.deployment import Deployed
    from nppac_agents.spaces import Spaces

Width = Annotated[int, Field(ge=1, le=8192)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
BatchSize = Annotated[int, Field(ge=1, le=65536)]


def inherited(method: type[Method], field: str, default: Any) -> Any:
    """The field of a parent, whose default is another here."""
    own = copy(method.model_fields[field])
    own.default = default
    return own


class Method(ComponentConfig, ABC):
    """A reinforcement learning or cloning method; `kind` selects it in a file.

    A method of one's own declares `kind: Literal["..."]`, its fields, `parts` and `update`.
    """

    uses_prior: ClassVar[bool] = True
    """Whether it learns with a prior; an experiment that names one is refused if not"""
    demonstrations_in_replay: ClassVar[bool] = False
    """Whether the demonstrated transitions are part of the replay"""
    demonstrations_for: ClassVar[str | None] = None
    """Why it needs demonstrations without having them in the replay; None if it does not"""
    needs_rewards: ClassVar[bool] = True
    """Whether the rewards of the demonstrations that it needs have to be known"""
    trainer: ClassVar[Literal["off-policy", "offline", "on-policy"]] = "off-policy"
    """Which of Tianshou's trainers runs it; `offline` for a method that never interacts"""
    columns: ClassVar[tuple[str, ...]] = ()
    """Columns of `data.episode_columns` that its batches have in `extra`"""

    batch_size: BatchSize = 256
    """Transitions per update."""
    policy_learning_rate: LearningRate = 3e-4
    """Adam's rate for the policy."""
    policy_hidden: tuple[Width, ...] = (256, 256)
    """Hidden widths of the policy network."""
    standardise_states: bool = False
    """Feed the networks states standardised over the demonstrations."""

    # What a method states.

    @abstractmethod
    def parts(self, agent: Agent, generator: torch.Generator) -> Any:
        """A named tuple of what learns, `policy` among it, with weights from `generator`."""

    @abstractmethod
    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """One update of all parts, in order; returns scalars for the metrics."""

    # What a method may state.

    def phases(self, agent: Agent) -> list[Phase]:
        """The phases in order."""
        return [ONLINE]

    def collected_steps(self) -> int:
        """Environment steps of those phases that only collect, told before there is an agent."""
        return 0

    def learns_offline(self) -> bool:
        """Whether it has updates of its own without interaction, told before there is an agent.

        What only makes the starting policy is none.
        """
        return False

    def consumed_steps(self) -> int:
        """Environment steps that one update takes at once, told before there is an agent."""
        return 0

    def act(self, agent: Agent, states: Tensor, *, deterministic: bool) -> Tensor:
        """Actions (B, A) at states (B, S), called without gradient; noise is `agent.acting`.

        The policy's mode, or a sample; a method without one distribution chooses otherwise.
        """
        policy = agent.parts.policy
        return policy.net.mode(states) if deterministic else policy(states).sample(agent.acting)[0]

    def explore(self, agent: Agent, states: Tensor, modes: Tensor) -> Tensor:
        """Actions (B, A) of training at states (B, S): samples, where `modes` (B,) says it modes.

        Called as `act` is.
        """
        actions = self.act(agent, states, deterministic=False)
        if modes.any():
            actions[modes] = self.act(agent, states[modes], deterministic=True)
        return actions

    def staggers_resets(self) -> bool:
        """Whether the first episodes of the training environments are cut at different times."""
        return False

    def plays_mode(self, episode: int) -> bool:
        """Whether a training episode, counted over all environments, is one of the mode's."""
        return False

    def deployed(self, agent: Agent) -> Deployed:
        """How its policy acts, for `nppac-run export`: the policy's network says it.

        A method with an `act` of its own says so itself, or cannot be exported.

        Raises:
            ConfigError: it cannot.
        """
        network = agent.parts.policy.net
        if type(self).act is not Method.act or not hasattr(network, "deployed"):
            raise ConfigError(
                f"agent {self.kind!r}: chooses its actions in a way of its own, which cannot be "
                "exported; it acts inside its run only (nppac-run evaluate, record, video)"
            )
        return network.deployed()

    def discounting(self) -> Discounting:
        """What the replay computes `discounts` by; a method without values has no use for it."""
        return Discounting(1.0)

    def demonstrated_share(self) -> float | None:
        """Share of demonstrations in a minibatch; None draws from the pool of all transitions."""
        return None

    def goal_shares(self) -> GoalShares | None:
        """Shares of a minibatch that are given other goals; None leaves all of them theirs."""
        return None

    def require(
        self, spaces: Spaces, prior: Prior | None, demonstrations: Demonstrations | None
    ) -> None:
        """Refuses parts that do not fit the method.

        Raises:
            ConfigError: the message says which.
        """
        if self.uses_prior:
            self.require_prior(spaces, prior)
        in_replay = "they are in its replay" if self.demonstrations_in_replay else None
        why = in_replay or self.demonstrations_for
        if why is not None:
            given = require_demonstrations(self.kind, why, demonstrations)
            if self.needs_rewards:
                require_rewards(self.kind, given)
        if self.standardise_states:
            require_demonstrations(self.kind, "standardise_states", demonstrations)

    def needs_gaussian_prior(self) -> bool:
        """Whether only a prior with a mean and a standard deviation will do."""
        return True

    @final
    def require_prior(self, spaces: Spaces, prior: Prior | None) -> None:
        """Refuses a prior that does not fit.

        Raises:
            ConfigError: it has no mean and standard deviation, or other dimensions.
        """
        gaussian = self.needs_gaussian_prior()
        (require_gaussian_prior if gaussian else require_dimensions)(self.kind, spaces, prior)

    # What methods are built with.

    def standardiser(self, agent: Agent) -> Standardiser:
        """The input layer of a network: states as they are, or in units of the demonstrations."""
        states = agent.demonstrated_states("cpu") if self.standardise_states else None
        return parts.Standardiser(agent.spaces.state_dim, states)

    def policy_network(
        self,
        agent: Agent,
        generator: torch.Generator,
        *,
        squash: bool,
        start: Literal["fresh", "distilled", "residual"] = "fresh",
        trust: TrustRegion | None = None,
    ) -> PolicyNetwork:
        """A Gaussian policy with mean and std of the state; see its module for its starts."""
        return parts.PolicyNetwork(
            agent.spaces.state_dim,
            agent.spaces.action_dim,
            self.policy_hidden,
            start=start,
            squash=squash,
            trust=trust,
            standardiser=self.standardiser(agent),
            generator=generator,
        )

    def build(
        self,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device = "cpu",
        generator: torch.Generator,
    ) -> Agent:
        """The untrained agent.

        Args:
            spaces: of the environment; actions in [-1, 1].
            prior: the behavioural prior, on `device`, for methods that use one.
            demonstrations: for methods that learn from them beyond the prior.
            device: where the agent learns and acts.
            generator: a CPU generator; initial weights and all later noise derive from it.

        Raises:
            ConfigError: the parts do not fit each other; the message says which.
        """
        from nppac_agents.shells import SHELLS

        self.require(spaces, prior, demonstrations)
        if self.goal_shares() is not None:
            require_goals(self.kind, spaces)
        shell = SHELLS[self.trainer]
        return shell(self, spaces, prior, demonstrations, device=device, generator=generator)
