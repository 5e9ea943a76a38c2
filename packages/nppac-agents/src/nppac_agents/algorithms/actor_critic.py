"""What every actor-critic method has in common: its fields, and the parts that it states.

A method is its configuration together with its equations: a critic target, an actor loss and, where
it has one, the target of a dual variable. ``nppac_agents.learners.actor_critic.ActorCritic`` owns
the networks and optimizers and calls them. A method's file imports no torch: tensors come in, and
their own operations do the rest.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from nppac_agents.algorithms.requirements import (
    require_demonstrations,
    require_gaussian_prior,
    require_rewards,
)
from nppac_agents.config import AgentConfig, Spaces
from nppac_agents.phase import ONLINE, Phase

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.experience.transitions import Transitions
    from nppac_agents.learners.actor_critic import ActorCritic
    from nppac_agents.learning.networks import Standardiser
    from nppac_agents.learning.policy_network import ActorNetwork

Width = Annotated[int, Field(ge=1, le=8192)]
LearningRate = Annotated[float, Field(gt=0, le=1)]


class ActorLoss(NamedTuple):
    """An actor loss, and what the learner reports and tunes by."""

    loss: Tensor
    """Scalar, with gradient towards the policy."""
    reported: dict[str, Tensor]
    """Scalars for the metrics."""
    constrained: Tensor | None = None
    """(B,), whose mean the temperature holds at ``Setup.dual_target``; None where it is fixed."""


class Setup(NamedTuple):
    """What a method asks of its learner beyond the fields that all methods share."""

    n_critics: int = 2
    critic_upper_bound: float | None = None
    """Where critic values are clamped from above."""
    policy_weight_decay: float = 0.0
    prior_scale: Literal["std", "variance"] = "std"
    """Which moment of the prior is the scale of its normal."""
    demonstration_share: float | None = None
    """Share of demonstrated transitions in a minibatch; None draws from the pool of all."""
    alpha: float = 1.0
    """The temperature of the first update."""
    dual_target: float | None = None
    """Where a learned temperature holds the mean of ``ActorLoss.constrained``; None: it is fixed"""
    temperature_learning_rate: float = 3e-4


class ActorCriticConfig(AgentConfig):
    """Fields that all actor-critic methods share; each method sets the defaults of its source."""

    demonstrations_in_replay: ClassVar[bool] = False
    """Whether the demonstrated transitions, with their rewards, are part of the replay."""

    gamma: float = Field(
        default=0.99, ge=0, lt=1, description="Discount factor per environment step."
    )
    tau: float = Field(default=0.005, gt=0, le=1, description="Polyak rate of the target critics.")
    batch_size: int = Field(default=256, ge=1, le=65536, description="Transitions per update.")
    policy_learning_rate: LearningRate = Field(
        default=3e-4, description="Adam's rate for the policy."
    )
    critic_learning_rate: LearningRate = Field(
        default=3e-4, description="Adam's rate for the critics."
    )
    policy_hidden: tuple[Width, ...] = Field(
        default=(256, 256), description="Hidden widths of the policy network."
    )
    critic_hidden: tuple[Width, ...] = Field(
        default=(256, 256), description="Hidden widths of each critic."
    )
    critic_layer_norm: bool = Field(
        default=False,
        description="Normalise the critics' hidden layers: bounds their values away from the data.",
    )
    standardise_states: bool = Field(
        default=False,
        description="Feed the networks states standardised over the demonstrations.",
    )
    timeouts_are_terminal: bool = Field(
        default=False, description="Whether the critic target stops at the time limit."
    )

    # What a method states.

    @abstractmethod
    def critic_target(self, agent: ActorCritic, batch: Transitions) -> Tensor:
        """The target (B,) of all critics; called without gradient."""

    @abstractmethod
    def actor_loss(self, agent: ActorCritic, batch: Transitions) -> ActorLoss:
        """The loss of the policy, against the critics of the same update."""

    @abstractmethod
    def make_policy(
        self, spaces: Spaces, standardiser: Standardiser, generator: torch.Generator
    ) -> ActorNetwork:
        """The untrained policy network."""

    # What a method may state.

    def setup(self, action_dim: int) -> Setup:
        """What the learner is made of, where it differs from two critics and nothing learned."""
        return Setup()

    def actor_is_due(self, update: int) -> bool:
        """Whether update number ``update``, from 0, moves the policy too."""
        return True

    def phases(self, agent: ActorCritic) -> list[Phase]:
        """The phases in order."""
        return [ONLINE]

    def require(
        self, spaces: Spaces, prior: Prior | None, demonstrations: Demonstrations | None
    ) -> None:
        """Refuses parts that do not fit the method."""
        if self.uses_prior:
            require_gaussian_prior(self.kind, spaces, prior)
        if self.demonstrations_in_replay:
            why = "they are part of its replay"
            require_rewards(self.kind, require_demonstrations(self.kind, why, demonstrations))
        if self.standardise_states:
            require_demonstrations(self.kind, "standardise_states", demonstrations)

    def build(
        self,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device = "cpu",
        generator: torch.Generator,
    ) -> ActorCritic:
        """Builds the agent; see ``AgentConfig.build``."""
        from nppac_agents.learners.actor_critic import ActorCritic

        self.require(spaces, prior, demonstrations)
        return ActorCritic(self, spaces, prior, demonstrations, device=device, generator=generator)
