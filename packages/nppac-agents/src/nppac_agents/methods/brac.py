"""BRAC: behaviour-regularised actor-critic (Wu et al. 2019), BRAC-p and BRAC-v.

    behaviour   first, minimise mean [- log pi_b(a|s) + beta log pi_b(b|s)],   b ~ pi_b(.|s),
                with beta held so that the entropy is at least -1 nat per action dimension
    critics     minimise sum_j mean (Q_j(s, a) - y)^2,   y = r + gamma (1 - d) V(s'),
                V(s') = min_j Qbar_j(s', a') - alpha_e log pi(a'|s') - [v] alpha D(s')
    policy      minimise mean [alpha D(s) + alpha_e log pi(a|s) - min_j Q_j(s, a)],   a ~ pi(.|s);
                in the first `warmup_updates` without the critics
    alpha       fixed, or ascend alpha mean [D(s) - largest_divergence], at most 500

[v] is 1 for `value_penalty` (BRAC-v) and 0 without (BRAC-p). D(s) is, over N actions of
each side,

    kl            mean_n [log pi(a_n|s) - log pi_b(a_n|s)],   a_n ~ pi(.|s)
    mmd           MMD^2 with the kernel exp(-|a - b|_1 / sigma)
    wasserstein   mean_n c(s, a_n) - mean_n c(s, b_n), where c ascends that less
                  5 mean relu(|grad_a c| - 1)^2 between the actions, three steps an update

With alpha = 0 it is SAC at the temperature alpha_e. Log standard deviations are in [-20, 2], in the
source in [-5, 0]; its policy also acts by the best of ten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.base import LearningRate, Width
from nppac_agents.methods.offline_first import BehaviourFirst
from nppac_agents.phase import ONLINE, Losses, Phase, offline, updating

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


class BRAC(BehaviourFirst, ActorCritic):
    """BRAC: actor-critic that pays for leaving a cloned behaviour (Wu et al. 2019)."""

    kind: Literal["brac"] = "brac"  # pyright: ignore[reportIncompatibleVariableOverride]
    divergence: Literal["kl", "mmd", "wasserstein"] = "kl"
    """D, what the policy's distance from the behaviour is."""
    value_penalty: bool = True
    """Whether the target pays for it too (BRAC-v), or not (BRAC-p)."""
    alpha: float = Field(default=1.0, ge=1e-8, le=500)
    """Weight of the divergence; where it is learned, its first value."""
    largest_divergence: float | None = None
    """Where a learned alpha holds D; null keeps alpha fixed."""
    entropy_weight: float = Field(default=0.0, ge=0)
    """Alpha_e, the weight of the policy's log-density."""
    sigma: float = Field(default=20.0, gt=0)
    """Scale of the MMD's kernel."""
    divergence_samples: int = Field(default=4, ge=1, le=256)
    """Actions a state on each side of the divergence."""
    warmup_updates: int = Field(default=20_000, ge=0)
    """First updates whose policy minimises D alone."""
    offline_updates: int = Field(default=500_000, ge=0)
    """Updates on the replay before interaction goes on."""
    critic_learning_rate: LearningRate = 1e-3
    """Adam's rate for critics, discriminator and alpha."""
    policy_learning_rate: LearningRate = 3e-5
    """Adam's rate for the policy (source: 3e-6 to 1e-3)."""
    policy_hidden: tuple[Width, ...] = (200, 200)
    """Hidden widths of policy and behaviour."""
    critic_hidden: tuple[Width, ...] = (300, 300)
    """Hidden widths of each critic and the discriminator."""

    def parts(self, agent: Agent, generator: torch.Generator) -> BRACParts:
        """Two squashed Gaussians, two critics, a discriminator and two duals."""
        policy, behaviour = (self.policy_network(agent, generator, squash=True) for _ in range(2))
        critics, one = (self.critics(agent, generator, n_critics=n) for n in (2, 1))
        cloning, rate = self.behaviour_learning_rate, self.critic_learning_rate
        return BRACParts(
            parts.Part(policy, self.policy_learning_rate),
            critics,
            parts.Part(behaviour, cloning),
            parts.Dual.scalar(1.0, cloning),
            parts.Dual.scalar(self.alpha, rate, log_bounds=LOG_BOUNDS),
            parts.Discriminator(one.net, rate),
        )

    def phases(self, agent: Agent) -> list[Phase]:
        """The behaviour, then offline, then online."""
        fit = updating("behaviour", self.behaviour_updates, self.fit_behaviour)
        return [*fit, *offline(self.offline_updates), ONLINE]

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Behaviour and discriminator where they learn; critics, policy, alpha, slow critics."""
        losses = self.fit_behaviour(agent, batch) if self.refit_behaviour else {}
        if self.divergence == "wasserstein":
            losses |= self.discriminate(agent, batch.states)
        return losses | super().update(agent, batch)

    def fit_behaviour(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the behaviour on the replay's actions, and one of its entropy's weight."""
        behaviour = agent.parts.behaviour(batch.states)
        _, own = behaviour.sample(agent.noise)
        weight = agent.parts.behaviour_entropy
        given = behaviour.log_prob(batch.actions.clamp(-INSIDE, INSIDE))
        loss = (weight.value() * own - given).mean()
        norm = agent.parts.behaviour.descend(loss)
        weight.ascend(own - agent.spaces.action_dim)
        losses = {"behaviour_loss": loss, "behaviour_grad_norm": norm}
        return losses | {"behaviour_entropy": -own.mean()}

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
        distance = self.distance(agent, batch.next_states, policy)
        return value - agent.parts.multiplier.value() * distance

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
