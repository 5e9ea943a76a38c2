"""BRAC+: improved behaviour-regularised actor-critic (Zhang et al. 2021).

    behaviour   first, maximise the lower bound of log p(a|s), CVAEs of actions before their tanh
    start       then the policy minimises mean [D(s) + beta H(s)], and the critics learn its value
    critics     minimise sum_j mean (Q_j(s, a) - y)^2 + lambda mean [1[D(s) > e] |grad_b min_j Q_j|]
                (eq. 11), y = r + gamma (1 - d) min_j Qbar_j(s', a'),   a', b ~ pi,
                e = mean D + std D
    policy      minimise mean [alpha(s) D(s) + beta H(s) - min_j Q_j(s, a)],   a ~ pi(.|s)
    alpha(s)    a network, or one number: ascend alpha(s) [D(s) - largest_divergence] at each state
    beta        ascend beta mean [H(s) - H0], a largest entropy

D(s) is the analytic bound of KL(pi || p), before the tanh, of `parts.behaviour_bound` (eq. 8), or
with `divergence` `mmd` the MMD from the ensemble's draws, and H0 then a least entropy. e is that
of the minibatch here and of the data in the source, whose released code is a later method.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.base import BatchSize, LearningRate, Width, inherited
from nppac_agents.methods.offline_first import BehaviourFirst
from nppac_agents.phase import ONLINE, Losses, Phase, offline, updating

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Dual, Part
    from nppac_agents.parts.distributions import ActionDistribution

INSIDE = 1.0 - 1e-3


class BRACPlusParts(NamedTuple):
    """What BRAC+ learns with."""

    policy: Part
    critic: Critics
    behaviour: Part
    multiplier: Dual
    entropy_weight: Dual


class BRACPlus(BehaviourFirst, ActorCritic):
    """BRAC+: actor-critic held to a CVAE ensemble, state by state (Zhang et al. 2021)."""

    kind: Literal["brac-plus"] = "brac-plus"  # pyright: ignore[reportIncompatibleVariableOverride]
    divergence: Literal["kl", "mmd"] = "kl"
    """D: the bound of the KL (locomotion), or the MMD (hands)."""
    largest_divergence: float = Field(default=4.0, gt=0)
    """Where alpha(s) holds D (source: 0.1 to 11.5 nats for the KL, 0.06 to 0.1 for the MMD)."""
    statewise: bool = True
    """A price alpha(s) at each state; false has one for all, as BRAC (figure 2b of the source)."""
    entropy: float = -2.0
    """H0, nats per action dimension: the largest for the KL, the least for the MMD (source: of the
    whole action, -12 for six dimensions)."""
    beta: float = Field(default=10.0, gt=0)
    """Weight of the entropy, in reward; learned from there."""
    gradient_penalty: float = Field(default=0.1, ge=0)
    """Lambda, weight of the critic's slope off the data."""
    members: int = Field(default=3, ge=1, le=100)
    """CVAEs of the behaviour."""
    samples: int = Field(default=5, ge=1, le=256)
    """Latents a state of D; actions, for the MMD."""
    sigma: float = Field(default=10.0, gt=0)
    """Scale of the MMD's Laplacian kernel."""
    behaviour_updates: int = inherited(BehaviourFirst, "behaviour_updates", 400_000)
    start_updates: int = Field(default=50_000, ge=0)
    """Then, of the policy towards the behaviour, and as many of the critics towards its value."""
    behaviour_learning_rate: LearningRate = 1e-3
    """Adam's rate for the behaviour."""
    multiplier_learning_rate: LearningRate = 1e-5
    """Adam's rate for alpha(s) (hands: 1e-7)."""
    entropy_learning_rate: LearningRate = 1e-3
    """Adam's rate for beta."""
    behaviour_hidden: tuple[Width, ...] = (512, 512, 512)
    """Hidden widths of encoders and decoders."""
    tau: float = inherited(ActorCritic, "tau", 0.001)
    batch_size: BatchSize = inherited(ActorCritic, "batch_size", 100)
    policy_learning_rate: LearningRate = 5e-6
    """Adam's rate for the policy (hands: 5e-8)."""
    policy_hidden: tuple[Width, ...] = (512, 512, 512)
    """Hidden widths of the policy network."""
    critic_hidden: tuple[Width, ...] = (256, 256, 256)
    """Hidden widths of each critic and alpha(s)."""

    def parts(self, agent: Agent, generator: torch.Generator) -> BRACPlusParts:
        """A squashed Gaussian, two critics, the behaviour, alpha(s) and beta."""
        size, actions = agent.spaces.state_dim, agent.spaces.action_dim
        sizes = self.members, size, actions, 2 * actions, self.behaviour_hidden
        behaviour = parts.CVAEEnsemble.draw(*sizes, bounded=False, generator=generator)
        policy = self.policy_network(agent, generator, squash=True)
        rate = self.multiplier_learning_rate
        return BRACPlusParts(
            parts.Part(policy, self.policy_learning_rate),
            self.critics(agent, generator),
            parts.Part(behaviour, self.behaviour_learning_rate),
            parts.Dual.of_states(size, self.critic_hidden, rate, generator)
            if self.statewise
            else parts.Dual.softplus(0.0, rate),
            parts.Dual.scalar(self.beta, self.entropy_learning_rate),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """The behaviour where it goes on learning; critics, policy, duals, slow critics."""
        losses = self.fit_behaviour(agent, batch) if self.refit_behaviour else {}
        return losses | super().update(agent, batch)

    def distance(self, agent: Agent, states: Tensor, policy: ActionDistribution) -> Tensor:
        """D(s) (B,) of the policy at states (B, S)."""
        behaviour = agent.parts.behaviour.net
        seen, drawn = agent.parts.policy.net.standardiser(states), (self.samples, agent.noise)
        if self.divergence == "kl":
            return parts.kl_bound(policy, behaviour, seen, *drawn)
        shape = self.samples, *policy.mean.shape
        raw = policy.mean + policy.std * parts.normal(shape, agent.noise)
        return parts.mmd(raw, parts.draws(behaviour, seen, *drawn), "laplacian", self.sigma)

    def fit_behaviour(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of every member on the replay's actions before their tanh."""
        behaviour, raw = agent.parts.behaviour, batch.actions.clamp(-INSIDE, INSIDE).atanh()
        seen = agent.parts.policy.net.standardiser(batch.states)
        shape = self.members, len(raw), behaviour.net.latent_dim
        bound = behaviour.net.lower_bound(seen[None], raw[None], parts.normal(shape, agent.noise))
        loss = -bound.mean(1).sum()
        norm = behaviour.descend(loss)
        return {"behaviour_loss": loss / self.members, "behaviour_grad_norm": norm}

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lower slow critic at the policy's action."""
        actions, _ = agent.parts.policy(batch.next_states).sample(agent.noise)
        return agent.parts.critic.slow(batch.next_states, actions).amin(0)

    def critic_loss(
        self, agent: Agent, batch: Transitions, values: Tensor, target: Tensor
    ) -> Tensor:
        """Squared errors, and the slope in the policy's actions where it left the data."""
        loss = super().critic_loss(agent, batch, values, target)
        if not self.gradient_penalty:
            return loss
        with parts.no_grad():
            policy = agent.parts.policy(batch.states)
            actions, _ = policy.sample(agent.noise)
            distance = self.distance(agent, batch.states, policy)
            far = (distance > distance.mean() + distance.std(correction=0)).to(distance.dtype)
        slopes = parts.action_slopes(agent.parts.critic, batch.states, actions)
        return loss + self.gradient_penalty * (far * slopes).mean()

    def actor_step(self, agent: Agent, batch: Transitions, starting: bool = False) -> Losses:
        """One step of the policy, of beta and, but for the start, of alpha(s)."""
        policy, part = agent.parts.policy(batch.states), agent.parts
        actions, log_prob = policy.sample(agent.noise)
        distance = self.distance(agent, batch.states, policy)
        sign, bound = (-1.0 if self.divergence == "kl" else 1.0), self.entropy * actions.shape[1]
        loss = part.entropy_weight.value() * sign * log_prob
        if starting:
            loss = loss + distance
        else:
            alpha = part.multiplier.value(batch.states)
            loss = loss + alpha * distance - part.critic(batch.states, actions).amin(0)
            part.multiplier.ascend(distance - self.largest_divergence, batch.states)
        losses = {"actor_loss": loss.mean(), "actor_grad_norm": part.policy.descend(loss.mean())}
        losses |= {"divergence": distance.mean(), "entropy": -log_prob.mean()}
        part.entropy_weight.ascend(sign * (log_prob + bound))
        return losses | {"actor_std": policy.std.mean()}

    def phases(self, agent: Agent) -> list[Phase]:
        """The behaviour, the policy towards it, its value, then offline, then online."""
        approach = functools.partial(self.actor_step, starting=True)
        return [
            *updating("behaviour", self.behaviour_updates, self.fit_behaviour),
            *updating("start", self.start_updates, approach),
            *updating("value", self.start_updates, self.critics_alone),
            *offline(self.offline_updates),
            ONLINE,
        ]
