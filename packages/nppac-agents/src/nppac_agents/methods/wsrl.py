"""WSRL: warm-start reinforcement learning, online without the old data (Zhou et al. 2025).

    offline   Cal-QL on the demonstrations, with an ensemble of E layer-normalised critics
    warm-up   `rollout_steps` environment steps of the pre-trained policy, without updates
    online    SAC on what was lived through alone:
              critic target   y = r + gamma (1 - d) min_{j in S} Qbar_j(s', a'),
                              S a random subset, a' ~ pi(.|s')
              actor loss      mean [alpha log pi(a|s) - min_j Q_j(s, a)],
                              with every `critic_updates_per_actor_update`-th critic update

The first `offline_updates` updates are Cal-QL's, with the same subset in their target. The
warm-up fills the replay with what the pre-trained policy itself sees, in the place of the
demonstrations; `demonstration_share` above 0 keeps these. Set `training.updates_per_step` to
the number of critic updates for each of the actor, 4 in the source. There the policy's layers are
normalised too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nppac_agents.methods.base import LearningRate
from nppac_agents.methods.cal_ql import CalQL
from nppac_agents.methods.sac import SAC
from nppac_agents.phase import ONLINE, Losses, Phase, offline, rollouts

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions


class WSRL(CalQL):
    """WSRL: Cal-QL, rollouts of its policy, then SAC without the old data (Zhou et al. 2025)."""

    kind: Literal["wsrl"] = "wsrl"  # pyright: ignore[reportIncompatibleVariableOverride]
    rollout_steps: int = Field(default=5_000, ge=0)
    """Environment steps that the pre-trained policy takes before updates go on; they count."""
    n_critics: int = Field(default=10, ge=1, le=100)
    """Critics in the ensemble."""
    critic_updates_per_actor_update: int = Field(default=4, ge=1)
    """Critic updates online for each update of policy and temperature."""
    demonstration_share: float = Field(default=0.0, ge=0, le=1)
    """Share of demonstrated transitions online."""
    temperature_learning_rate: LearningRate = 1e-4
    """Adam's rate for alpha, where it is learned."""
    critic_layer_norm: bool = True
    """Normalise the critics' hidden layers: bounds their values away from the data."""

    def pretraining(self, agent: Agent) -> bool:
        """Whether the next update is one of the offline ones."""
        return agent.updates < self.offline_updates

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Cal-QL's; afterwards SAC's, the policy with the last of each group."""
        if self.pretraining(agent):
            return super().update(agent, batch)
        losses = SAC.critic_step(self, agent, batch)
        if (agent.updates + 1) % self.critic_updates_per_actor_update == 0:
            losses |= self.actor_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        return losses

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lowest of a random subset of slow critics; offline, at the best of some actions."""
        policy, critic = agent.parts.policy(batch.next_states), agent.parts.critic
        size = self.backup_samples if self.pretraining(agent) else 1
        actions, _ = policy.repeated(size).sample(agent.noise)
        members = critic.random_members(self.target_subset, agent.noise)
        return critic.slow(batch.next_states, actions, members).amin(0).amax(0)

    def collected_steps(self) -> int:
        """`rollout_steps`."""
        return self.rollout_steps

    def phases(self, agent: Agent) -> list[Phase]:
        """Offline, rollouts, online."""
        return [*offline(self.offline_updates), *rollouts(self.rollout_steps), ONLINE]
