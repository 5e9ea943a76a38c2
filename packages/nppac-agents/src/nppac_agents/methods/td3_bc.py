"""TD3+BC: a minimalist approach to offline reinforcement learning (Fujimoto and Gu 2021).

TD3 (Fujimoto et al. 2018) with a deterministic policy pi, a cloning term and standardised states:

    critic target   y = r + gamma (1 - d) min_j Qbar_j(s', a'),
                    a' = clip(pibar(s') + e, -1, 1),   e ~ N(0, 0.2^2) clipped to +-0.5
    actor loss      mean |pi(s) - a|^2 / A - lambda mean Q_1(s, pi(s)),
                    lambda = weight / mean |Q_1(s, pi(s))|,   without gradient

(s, a) is from the replay, which holds the demonstrations too, and the square is averaged over the
A dimensions of the action. Policy and slow copies Qbar, pibar move with every second update of the
critics. lambda makes the loss blind to the scale of the values; at weight 0 the policy clones the
replay by least squares. Nothing changes online but for the noise of the actions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.offline_first import OfflineFirst
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Part
    from nppac_agents.parts.deployment import Deployed


class TD3BCParts(NamedTuple):
    """What TD3+BC learns with."""

    policy: Part
    critic: Critics


class TD3BC(OfflineFirst, ActorCritic):
    """TD3+BC: a deterministic actor-critic that clones as it learns (Fujimoto and Gu 2021)."""

    kind: Literal["td3-bc"] = "td3-bc"  # pyright: ignore[reportIncompatibleVariableOverride]
    value_weight: float = Field(default=2.5, ge=0)
    """Weight of the value, scaled to a mean size of 1, beside the squared error of the replay's
    actions; 0 clones."""
    target_std: float = Field(default=0.2, ge=0)
    """Standard deviation of the noise on the target's actions."""
    largest_target_noise: float = Field(default=0.5, ge=0)
    """Where the noise on the target's actions is clipped."""
    exploration_std: float = Field(default=0.1, ge=0)
    """Standard deviation of the noise on actions taken online."""
    critic_updates_per_actor_update: int = Field(default=2, ge=1)
    """Critic updates for each update of policy and slow copies."""
    standardise_states: bool = True
    """Feed the networks states standardised over the demonstrations."""

    def parts(self, agent: Agent, generator: torch.Generator) -> TD3BCParts:
        """A deterministic policy with a slow copy, two critics."""
        policy = parts.DeterministicPolicy(
            agent.spaces.state_dim,
            agent.spaces.action_dim,
            self.policy_hidden,
            standardiser=self.standardiser(agent),
            generator=generator,
        )
        return TD3BCParts(
            parts.Part(policy, self.policy_learning_rate, slow=True),
            self.critics(agent, generator),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Critics; with the last of each group of critic updates policy and slow copies."""
        losses = self.critic_step(agent, batch)
        if (agent.updates + 1) % self.critic_updates_per_actor_update == 0:
            losses |= self.actor_step(agent, batch)
            agent.parts.critic.follow(self.tau)
            agent.parts.policy.follow(self.tau)
        return losses

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lower slow critic at the slow policy's action with noise."""
        mode = agent.parts.policy.slow(batch.next_states)
        bound = self.largest_target_noise
        noise = (self.target_std * parts.normal(mode.shape, agent.noise)).clamp(-bound, bound)
        return agent.parts.critic.slow(batch.next_states, (mode + noise).clamp(-1, 1)).amin(0)

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step on the scaled value of the first critic and the cloning term."""
        actions = agent.parts.policy(batch.states)
        values = agent.parts.critic.frozen(batch.states, actions)[0]
        error = (actions - batch.actions).square().mean()
        loss = error - self.value_weight * values.mean() / values.detach().abs().mean()
        return {
            "actor_loss": loss,
            "actor_grad_norm": agent.parts.policy.descend(loss),
            "actor_std": loss.new_tensor(self.exploration_std),
            "cloning_error": error,
        }

    def act(self, agent: Agent, states: Tensor, *, deterministic: bool) -> Tensor:
        """The policy's action, with noise unless deterministic."""
        actions = agent.parts.policy(states)
        if deterministic:
            return actions
        noise = parts.normal(actions.shape, agent.acting)
        return (actions + self.exploration_std * noise).clamp(-1, 1)

    def deployed(self, agent: Agent) -> Deployed:
        """The network's actions; noise is for exploration."""
        return agent.parts.policy.net.deployed()
