"""BRAC: behaviour-regularised actor-critic (Wu et al. 2019), BRAC-p and BRAC-v.

    behaviour   first, minimise mean [- log pi_b(a|s) + beta log pi_b(b|s)],   b ~ pi_b(.|s),
                with beta held so that the entropy is at least -1 nat per action dimension
    critics     minimise sum_j mean (Q_j(s, a) - y)^2,   y = r + gamma (1 - d) V(s'),
                V(s') = min_j Qbar_j(s', a') - alpha_e log pi(a'|s') - [v] alpha D(s')
    policy      minimise mean [alpha D(s) + alpha_e log pi(a|s) - min_j Q_j(s, a)],   a ~ pi(.|s);
                in the first ``warmup_updates`` without the critics
    alpha       fixed, or ascend alpha mean [D(s) - largest_divergence], at most 500

[v] is 1 for ``value_penalty`` (BRAC-v) and 0 without (BRAC-p). D(s) is, over N actions of
each side,

    kl            mean_n [log pi(a_n|s) - log pi_b(a_n|s)],   a_n ~ pi(.|s)
    mmd           MMD^2 with the kernel exp(-|a - b|_1 / sigma)
    wasserstein   mean_n c(s, a_n) - mean_n c(s, b_n), where c ascends that less
                  5 mean relu(|grad_a c| - 1)^2 between the actions, three steps an update

With alpha = 0 it is SAC at the temperature alpha_e. Both policies' log standard deviations are in
[-20, 2] here and in [-5, 0] in the source, whose policy also acts by the best of ten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.base import LearningRate, Width
from nppac_agents.methods.offline_first import OfflineFirst
from nppac_agents.phase import Losses, Phase

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Discriminator, Dual, Part
    from nppac_agents.parts.distributions import ActionDistribution

INSIDE = 1.0 - 1e-3
DISCRIMINATOR_STEPS = 3
LOG_BOUNDS = (-20.0, 6.2146)


class BRACParts(NamedTuple):
    """What BRAC learns with."""

    policy: Part
    critic: Critics
    behaviour: Part
    behaviour_entropy: Dual
    multiplier: Dual
    discriminator: Discriminator


class BRAC(OfflineFirst, ActorCritic):
    """BRAC: actor-critic that pays for leaving a cloned behaviour (Wu et al. 2019)."""

    kind: Literal["brac"] = "brac"  # pyright: ignore[reportIncompatibleVariableOverride]
    divergence: Literal["kl", "mmd", "wasserstein"] = Field(
        default="kl", description="D, what the policy's distance from the behaviour is."
    )
    value_penalty: bool = Field(
        default=True, description="Whether the target pays for it too (BRAC-v), or not (BRAC-p)."
    )
    alpha: float = Field(
        default=1.0,
        ge=1e-8,
        le=500,
        description="Weight of the divergence; where it is learned, its first value.",
    )
    largest_divergence: float | None = Field(
        default=None, description="Where a learned alpha holds D; null keeps alpha fixed."
    )
    entropy_weight: float = Field(
        default=0.0, ge=0, description="Alpha_e, the weight of the policy's log-density."
    )
    sigma: float = Field(default=20.0, gt=0, description="Scale of the MMD's kernel.")
    divergence_samples: int = Field(
        default=4, ge=1, le=256, description="Actions a state on each side of the divergence."
    )
    behaviour_updates: int = Field(
        default=300_000, ge=0, description="Updates that clone the behaviour, first of all."
    )
    refit_behaviour: bool = Field(
        default=False,
        description="Go on cloning what the replay holds, one update with each other one (Nair et "
        "al. 2020, online).",
    )
    warmup_updates: int = Field(
        default=20_000, ge=0, description="First updates whose policy minimises D alone."
    )
    offline_updates: int = Field(
        default=500_000, ge=0, description="Updates on the replay before interaction goes on."
    )
    behaviour_learning_rate: LearningRate = Field(
        default=5e-4, description="Adam's rate for the behaviour and its entropy."
    )
    critic_learning_rate: LearningRate = Field(
        default=1e-3, description="Adam's rate for critics, discriminator and alpha."
    )
    policy_learning_rate: LearningRate = Field(
        default=3e-5, description="Adam's rate for the policy (source: 3e-6 to 1e-3)."
    )
    policy_hidden: tuple[Width, ...] = Field(
        default=(200, 200), description="Hidden widths of policy and behaviour."
    )
    critic_hidden: tuple[Width, ...] = Field(
        default=(300, 300), description="Hidden widths of each critic and the discriminator."
    )

    def parts(self, agent: Agent, generator: torch.Generator) -> BRACParts:
        """Two squashed Gaussians, two critics, a discriminator and two duals."""
        policy, behaviour = (self.policy_network(agent, generator, squash=True) for _ in range(2))
        rate = self.behaviour_learning_rate
        return BRACParts(
            parts.Part(policy, self.policy_learning_rate),
            self.critics(agent, generator),
            parts.Part(behaviour, rate),
            parts.Dual.scalar(1.0, rate),
            parts.Dual.scalar(self.alpha, self.critic_learning_rate, log_bounds=LOG_BOUNDS),
            parts.Discriminator(
                self.critics(agent, generator, n_critics=1).net, self.critic_learning_rate
            ),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Behaviour and discriminator where they learn, critics, policy, slow critics."""
        losses = self.clone_behaviour(agent, batch) if self.refit_behaviour else {}
        if self.divergence == "wasserstein":
            losses |= self.discriminate(agent, batch.states)
        return losses | super().update(agent, batch)

    def clone_behaviour(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the behaviour on the replay's actions, and one of its entropy's weight."""
        behaviour = agent.parts.behaviour(batch.states)
        _, own = behaviour.sample(agent.noise)
        weight = agent.parts.behaviour_entropy
        given = behaviour.log_prob(batch.actions.clamp(-INSIDE, INSIDE))
        loss = (weight.value() * own - given).mean()
        norm = agent.parts.behaviour.descend(loss)
        weight.ascend(own - agent.spaces.action_dim)
        return {
            "behaviour_loss": loss,
            "behaviour_grad_norm": norm,
            "behaviour_entropy": -own.mean(),
        }

    def drawn(self, agent: Agent, policy: ActionDistribution) -> tuple[Tensor, Tensor]:
        """Actions (N, B, A) of a policy and their log-densities (N, B)."""
        count = range(self.divergence_samples)
        actions, log_probs = zip(*(policy.sample(agent.noise) for _ in count), strict=True)
        return parts.stack(actions), parts.stack(log_probs)

    def distance(self, agent: Agent, states: Tensor, policy: ActionDistribution) -> Tensor:
        """D(s) (B,) of the policy at states (B, S)."""
        behaviour = agent.parts.behaviour(states)
        actions, log_probs = self.drawn(agent, policy)
        if self.divergence == "kl":
            return (log_probs - behaviour.log_prob(actions.clamp(-INSIDE, INSIDE))).mean(0)
        others = self.drawn(agent, behaviour)[0].detach()
        if self.divergence == "mmd":
            return parts.mmd(actions, others, "laplacian", self.sigma / 2).square()
        return agent.parts.discriminator.difference(states, actions, others)

    def discriminate(self, agent: Agent, states: Tensor) -> Losses:
        """Steps of the discriminator towards the largest difference."""
        loss = states.new_zeros(())
        for _ in range(DISCRIMINATOR_STEPS):
            with parts.no_grad():
                actions, _ = self.drawn(agent, agent.parts.policy(states))
                others, _ = self.drawn(agent, agent.parts.behaviour(states))
            loss = agent.parts.discriminator.ascend(states, actions, others, agent.noise)
        return {"discriminator_loss": loss}

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lower slow critic, less the price of entropy and, in BRAC-v, of the divergence."""
        policy = agent.parts.policy(batch.next_states)
        actions, log_prob = policy.sample(agent.noise)
        value = agent.parts.critic.slow(batch.next_states, actions).amin(0)
        value = value - self.entropy_weight * log_prob
        if not self.value_penalty:
            return value
        return value - agent.parts.multiplier.value() * self.distance(
            agent, batch.next_states, policy
        )

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the policy, and of alpha where it is learned."""
        policy = agent.parts.policy(batch.states)
        actions, log_prob = policy.sample(agent.noise)
        distance = self.distance(agent, batch.states, policy)
        alpha = agent.parts.multiplier.value()
        loss = (alpha * distance + self.entropy_weight * log_prob).mean()
        if agent.updates >= self.warmup_updates:
            loss = loss - agent.parts.critic.frozen(batch.states, actions).amin(0).mean()
        losses = {"actor_loss": loss, "actor_grad_norm": agent.parts.policy.descend(loss)}
        if self.largest_divergence is not None:
            agent.parts.multiplier.ascend(distance - self.largest_divergence)
        losses |= {"divergence": distance.mean(), "alpha": alpha}
        return losses | {"actor_std": policy.std.mean()}

    def phases(self, agent: Agent) -> list[Phase]:
        """The behaviour, then offline, then online."""
        cloning = Phase("behaviour", self.behaviour_updates, update=self.clone_behaviour)
        first = [cloning] if self.behaviour_updates else []
        return [*first, *super().phases(agent)]
