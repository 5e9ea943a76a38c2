"""RLPD: reinforcement learning with prior data (Ball et al. 2023).

SAC with an ensemble of E layer-normalised critics, half of every minibatch from the demonstrations,
and many updates per environment step:

    critic target   y = r + gamma (1 - d) min_{j in S} Qbar_j(s', a'),   S a random subset
                    (minus alpha log pi(a'|s') with `entropy_backup`)
    actor loss      mean [alpha log pi(a|s) - mean_j Q_j(s, a)],
                    with every `critic_updates_per_actor_update`-th critic update

Set `training.updates_per_step` to the same number, 20 in the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nppac_agents.methods.base import Width
from nppac_agents.methods.sac import SAC
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions


class RLPD(SAC):
    """RLPD: SAC with a critic ensemble and half demonstrations per batch (Ball et al. 2023)."""

    demonstrations_in_replay: ClassVar[bool] = True

    kind: Literal["rlpd"] = "rlpd"  # pyright: ignore[reportIncompatibleVariableOverride]
    n_critics: int = Field(default=10, ge=1, le=100)
    """Critics in the ensemble."""
    actor_value: Literal["lowest", "mean"] = "mean"
    """What the policy ascends of the critics' values."""
    entropy_backup: bool = False
    """Whether the critic target has the entropy (locomotion: yes)."""
    demonstration_share: float = Field(default=0.5, ge=0, le=1)
    """Share of demonstrated transitions in a minibatch."""
    critic_updates_per_actor_update: int = Field(default=20, ge=1)
    """Critic updates for each update of policy and temperature."""
    target_entropy: float | None = -0.5
    """Tune alpha so that the policy's entropy stays at this many nats per action dimension; null
    keeps alpha fixed."""
    critic_hidden: tuple[Width, ...] = (256, 256, 256)
    """Hidden widths of each critic."""
    policy_hidden: tuple[Width, ...] = (256, 256, 256)
    """Hidden widths of the policy network."""
    critic_layer_norm: bool = True
    """Normalise the critics' hidden layers: bounds their values away from the data."""

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Critics; policy and temperature with the last of each group; slow critics."""
        losses = self.critic_step(agent, batch)
        if (agent.updates + 1) % self.critic_updates_per_actor_update == 0:
            losses |= self.actor_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        return losses

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lowest (B,) of a random subset of the slow critics."""
        actions, log_prob = agent.parts.policy(batch.next_states).sample(agent.noise)
        critic = agent.parts.critic
        value = critic.lowest(batch.next_states, actions, self.target_subset, agent.noise)
        return value - agent.parts.temperature.value() * log_prob if self.entropy_backup else value

    def demonstrated_share(self) -> float:
        """`demonstration_share`."""
        return self.demonstration_share
