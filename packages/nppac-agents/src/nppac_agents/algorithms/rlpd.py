"""RLPD: reinforcement learning with prior data (Ball et al. 2023).

SAC with an ensemble of E layer-normalised critics, half of every minibatch from the demonstrations,
and many updates per environment step:

    critic target   y = r + gamma (1 - d) min_{j in S} Qbar_j(s', a'),   S a random subset
                    (minus alpha log pi(a'|s') with ``entropy_backup``)
    actor loss      mean [alpha log pi(a|s) - mean_j Q_j(s, a)],
                    with every ``critic_updates_per_actor_update``-th critic update

Set ``training.updates_per_step`` to the same number, 20 in the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nppac_agents.algorithms.actor_critic import Setup, Width
from nppac_agents.algorithms.sac import SACConfig

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.experience.transitions import Transitions
    from nppac_agents.learners.actor_critic import ActorCritic


class RLPDConfig(SACConfig):
    """RLPD: SAC with a critic ensemble and half demonstrations per batch (Ball et al. 2023)."""

    demonstrations_in_replay: ClassVar[bool] = True

    kind: Literal["rlpd"] = "rlpd"  # pyright: ignore[reportIncompatibleVariableOverride]
    n_critics: int = Field(default=10, ge=1, le=100, description="Critics in the ensemble.")
    target_subset: int = Field(
        default=2,
        ge=1,
        description="Critics, drawn for each update, whose minimum is backed up.",
    )
    entropy_backup: bool = Field(
        default=False,
        description="Whether the critic target has the entropy (locomotion: yes).",
    )
    demonstration_share: float = Field(
        default=0.5, ge=0, le=1, description="Share of demonstrated transitions in a minibatch."
    )
    critic_updates_per_actor_update: int = Field(
        default=20, ge=1, description="Critic updates for each update of policy and temperature."
    )
    target_entropy: float | None = Field(
        default=-0.5,
        description="Tune alpha so that the policy's entropy stays at this many nats per action "
        "dimension; null keeps alpha fixed.",
    )
    critic_hidden: tuple[Width, ...] = Field(
        default=(256, 256, 256), description="Hidden widths of each critic."
    )
    policy_hidden: tuple[Width, ...] = Field(
        default=(256, 256, 256), description="Hidden widths of the policy network."
    )
    critic_layer_norm: bool = Field(
        default=True,
        description="Normalise the critics' hidden layers: bounds their values away from the data.",
    )

    @model_validator(mode="after")
    def _subset_fits_ensemble(self) -> Self:
        if self.target_subset > self.n_critics:
            raise ValueError(
                f"target_subset {self.target_subset} is above n_critics {self.n_critics}; "
                "draw at most all critics"
            )
        return self

    def critic_target(self, agent: ActorCritic, batch: Transitions) -> Tensor:
        """y (B,), from a random subset of the target critics."""
        policy = agent.policy_network(batch.next_states, *agent.prior_after(batch))
        actions, log_prob = policy.sample(agent.noise)
        members = agent.random_critics(self.target_subset)
        value = agent.target_critic(batch.next_states, actions, members).amin(0)
        if self.entropy_backup:
            value = value - agent.alpha * log_prob
        return agent.backup(batch, value)

    def actor_value(self, agent: ActorCritic, states: Tensor, actions: Tensor) -> Tensor:
        """The mean (B,) of all critics."""
        return agent.critic(states, actions).mean(0)

    def actor_is_due(self, update: int) -> bool:
        """With the last of each group of critic updates."""
        return (update + 1) % self.critic_updates_per_actor_update == 0

    def setup(self, action_dim: int) -> Setup:
        """The ensemble, and half demonstrations in every minibatch."""
        return (
            super()
            .setup(action_dim)
            ._replace(n_critics=self.n_critics, demonstration_share=self.demonstration_share)
        )
