"""CQL: conservative Q-learning, CQL(H) (Kumar et al. 2020), as in its released code.

SAC whose critics are pushed down where the policy and a uniform distribution would act, and up at
the data's actions:

    critics   minimise sum_j mean (Q_j(s, a) - y)^2 + sum_j alpha' (w gap_j - threshold),
              gap_j = mean [log sum_i exp(Q_j(s, a_i) - log mu(a_i)) - Q_j(s, a)],
              a_i ~ mu: n each from pi(.|s), pi(.|s') and the uniform distribution over actions
    target    y = r + gamma (1 - d) max_i min_j Qbar_j(s', a'_i),   a'_i ~ pi(.|s')
              (`entropy_backup`: less alpha log pi of that action)
    actor     SAC's; in the first `warmup_updates`  mean [alpha log pi(a_pi|s) - log pi(a|s)]

alpha' is 1 without a threshold, else a dual variable, which rises while w gap exceeds it. w is
`conservative_weight` (0: SAC without the entropy in its target), n `conservative_samples`.

Tianshou ships a CQL of its own, which differs: its uniform actions are all ones by default, its
log-sum-exp runs over 3 values for 3 n, it takes timeouts for ends, backs up the entropy, and bounds
by the returns, which it does by default, values less their log-density and of uniform actions too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.base import LearningRate, Width
from nppac_agents.methods.offline_first import OfflineFirst
from nppac_agents.methods.sac import SAC
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Dual, Part

LARGEST_MULTIPLIER = 1e6


class CQLParts(NamedTuple):
    """What CQL learns with."""

    policy: Part
    critic: Critics
    temperature: Dual
    multiplier: Dual


class CQL(OfflineFirst, SAC):
    """CQL: SAC with critics that are low away from the data (Kumar et al. 2020)."""

    kind: Literal["cql"] = "cql"  # pyright: ignore[reportIncompatibleVariableOverride]
    conservative_weight: float = Field(default=5.0, ge=0)
    """w, the weight of the gap in the critics' loss."""
    largest_gap: float | None = Field(default=None, gt=0)
    """Where a dual variable holds w times the gap, in value (the source: 5 or 10, with a weight of
    1); null has none."""
    conservative_samples: int = Field(default=10, ge=1, le=256)
    """Actions a state from each of three distributions."""
    backup_samples: int = Field(default=1, ge=1, le=256)
    """Actions at s' of which the best is backed up."""
    entropy_backup: bool = False
    """Whether the critic target has the entropy."""
    warmup_updates: int = Field(default=40_000, ge=0)
    """First updates whose policy clones the replay."""
    policy_learning_rate: LearningRate = 1e-4
    """Adam's rate for the policy."""
    policy_hidden: tuple[Width, ...] = (256, 256, 256)
    """Hidden widths of the policy network."""
    critic_hidden: tuple[Width, ...] = (256, 256, 256)
    """Hidden widths of each critic."""

    def parts(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, agent: Agent, generator: torch.Generator
    ) -> CQLParts:
        """SAC's, and the multiplier of the gap, which learns at the critics' rate."""
        bounds = -math.inf, math.log(LARGEST_MULTIPLIER)
        multiplier = parts.Dual.scalar(1.0, self.critic_learning_rate, log_bounds=bounds)
        return CQLParts(*super().parts(agent, generator), multiplier)

    def critic_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of all critics on squared errors and gap, then one of the multiplier."""
        critic, multiplier = agent.parts.critic, agent.parts.multiplier
        target = self.critic_target(agent, batch)
        values = critic(batch.states, batch.actions)
        gap = conservative_gap(
            agent, batch, values, self.conservative_samples, self.reference(agent, batch)
        )
        excess = self.conservative_weight * gap - (self.largest_gap or 0.0)
        alpha = multiplier.value()
        loss = self.critic_loss(agent, batch, values, target) + alpha * excess.sum()
        norm = critic.descend(loss)
        if self.largest_gap is not None:
            multiplier.ascend(excess)
        losses = {
            "critic_grad_norm": norm,
            "critic_loss": loss,
            "critic_value": values.mean() * critic.unit,
        }
        losses |= {"conservative_gap": gap.mean(), "multiplier": alpha}
        return losses | {"target_value": target.mean() * critic.unit}

    def reference(self, agent: Agent, batch: Transitions) -> Tensor | None:
        """Values (B,) below which the policy's actions are not pushed; none here."""
        return None

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The best, among the policy's actions at s', of the lower slow critic."""
        policy = agent.parts.policy(batch.next_states).repeated(self.backup_samples)
        actions, log_prob = policy.sample(agent.noise)
        value, best = agent.parts.critic.slow(batch.next_states, actions).amin(0).max(0)
        if not self.entropy_backup:
            return value
        entropy = -log_prob.gather(0, best.unsqueeze(0)).squeeze(0)
        return value + agent.parts.temperature.value() * entropy

    def actor_loss(
        self, agent: Agent, batch: Transitions, alpha: Tensor, kappa: Tensor, value: Tensor
    ) -> Tensor:
        """SAC's, or cloning with the entropy."""
        if agent.updates < self.warmup_updates:
            value = agent.parts.policy(batch.states).log_prob(batch.actions)
        return super().actor_loss(agent, batch, alpha, kappa, value)


def conservative_gap(
    agent: Agent, batch: Transitions, values: Tensor, size: int, reference: Tensor | None
) -> Tensor:
    """What each critic's soft maximum over actions exceeds its values by, (E,), on the mean.

    Args:
        agent: with a policy and critics.
        batch: B transitions.
        values: of the critics at (s, a), (E, B).
        size: actions from each of the three distributions.
        reference: (B,), from below a bound of the values of the policy's actions (Cal-QL).
    """
    states, critic, found = batch.states, agent.parts.critic, []
    for seen in (states, batch.next_states):
        with parts.no_grad():
            actions, log_prob = agent.parts.policy(seen).repeated(size).sample(agent.noise)
        own = critic(states, actions)
        bounded = own if reference is None else own.maximum(reference)
        found.append((bounded - log_prob).logsumexp(1))
    uniform = actions.new_empty(actions.shape).uniform_(-1, 1, generator=agent.noise)
    found.append((critic(states, uniform) + uniform.shape[-1] * math.log(2.0)).logsumexp(1))
    soft = found[0].logaddexp(found[1]).logaddexp(found[2])
    return (soft - values).mean(1)
