"""CRR: critic-regularised regression (Wang et al. 2020).

    critic target   y = r + gamma (1 - d) min_j Qbar_j(s', a'),   a' ~ pibar(.|s')
    advantage       A(s, a) = Q(s, a) - mean_i Q(s, a_i),   a_1 ... a_m ~ pi(.|s)
                    (or max_i for the mean), with Q the lowest critic
    actor loss      - mean [f(s, a) log pi(a|s)],
                    f = min(exp(A / beta), 20)  or  f = 1[A > 0]

(s, a) is from the replay, which holds the demonstrations too. The slow copies Qbar and pibar are
those of up to `copy_every` updates ago. At f = 1, which is beta towards infinity, it clones. The
source has one critic; its paper's is a distribution over returns, which none here is. The policy
is not squashed, for many demonstrated actions lie on the edge of the action space.
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


class CRRParts(NamedTuple):
    """What CRR learns with."""

    policy: Part
    critic: Critics


class CRR(OfflineFirst, ActorCritic):
    """CRR: a policy regressed on the actions that its critic prefers (Wang et al. 2020)."""

    kind: Literal["crr"] = "crr"  # pyright: ignore[reportIncompatibleVariableOverride]
    weights: Literal["exponential", "binary"] = "exponential"
    """`exponential`: exp(A / beta), bounded; `binary`: 1 where A is above 0, else 0."""
    advantage_temperature: float = Field(default=1.0, gt=0)
    """Beta of the exponential weights, in value."""
    largest_weight: float = Field(default=20.0, gt=0)
    """Bound of the exponential weights."""
    policy_samples: int = Field(default=4, ge=1, le=256)
    """Actions a state that an advantage is measured from."""
    baseline: Literal["mean", "max"] = "mean"
    """Their mean value or the best one."""
    n_critics: int = Field(default=1, ge=1, le=100)
    """Critics in the ensemble."""
    copy_every: int = Field(default=100, ge=1)
    """Updates after which the slow copies follow, by `tau`."""
    tau: float = Field(default=1.0, gt=0, le=1)
    """Rate of the slow copies when they follow; 1 copies."""

    def parts(self, agent: Agent, generator: torch.Generator) -> CRRParts:
        """An unsquashed Gaussian with a slow copy, the critics."""
        policy = self.policy_network(agent, generator, squash=False)
        return CRRParts(
            parts.Part(policy, self.policy_learning_rate, slow=True),
            self.critics(agent, generator, n_critics=self.n_critics),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Policy by the old critics, critics; from time to time slow copies."""
        losses = self.actor_step(agent, batch) | self.critic_step(agent, batch)
        if (agent.updates + 1) % self.copy_every == 0:
            agent.parts.critic.follow(self.tau)
            agent.parts.policy.follow(self.tau)
        return losses

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lowest slow critic at the slow policy's action."""
        actions, _ = agent.parts.policy.slow(batch.next_states).sample(agent.noise)
        return agent.parts.critic.slow(batch.next_states, actions).amin(0)

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step on the weighted negative log-likelihood of the replay's actions."""
        policy = agent.parts.policy(batch.states)
        with parts.no_grad():
            own, _ = policy.repeated(self.policy_samples).sample(agent.noise)
            values = agent.parts.critic(batch.states, own).amin(0)
            baseline = values.mean(0) if self.baseline == "mean" else values.amax(0)
            advantages = agent.parts.critic(batch.states, batch.actions).amin(0) - baseline
        weights = self.weigh(advantages)
        loss = -(weights * policy.log_prob(batch.actions)).mean()
        return {
            "actor_loss": loss,
            "actor_grad_norm": agent.parts.policy.descend(loss),
            "actor_std": policy.std.mean(),
            "advantage": advantages.mean(),
            "mean_weight": weights.mean(),
        }

    def weigh(self, advantages: Tensor) -> Tensor:
        """The weights f (B,) of advantages (B,)."""
        if self.weights == "binary":
            return (advantages > 0).to(advantages.dtype)
        return (advantages / self.advantage_temperature).exp().clamp(max=self.largest_weight)
