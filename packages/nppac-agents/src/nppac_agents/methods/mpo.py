"""MPO: maximum a posteriori policy optimisation (Abdolmaleki et al. 2018), in Acme's form.

    critic        minimise mean (Q(s, a) - y)^2,   y = r + gamma (1 - d) mean_n Qbar(s', a'_n)
    E-step        q_n = softmax_n(Qbar(s, a_n) / eta),   a_n ~ pibar(.|s), which has KL(q || pibar)
                  of at most `epsilon` nats where eta minimises its dual
                  eta (epsilon + mean_s log mean_n exp(Qbar(s, a_n) / eta))
    M-step        minimise mean_s [- sum_n q_n (log N(a_n; mu, sigmabar) + log N(a_n; mubar, sigma))
                  + alpha_mu KL_mu + alpha_sigma KL_sigma]
    multipliers   ascend sum_d alpha_d (mean_s KL_d - `mean_epsilon` or `std_epsilon`), one for
                  each action dimension d
    slow          every `target_period` updates Qbar and pibar become Q and pi

The M-step moves the mean under the old standard deviation and the standard deviation about the old
mean, each with its own trust region KL(pibar || .). With `penalty_epsilon`, weights
softmax_n(-|a_n - clip(a_n)| / eta_p) are added to q_n: a second objective that keeps actions within
bounds (Abdolmaleki et al. 2020). Where Q is constant the weights are uniform.

Acme's values are several steps long, its networks normalise a layer, and its policy's mean has no
bounds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.base import LearningRate
from nppac_agents.methods.offline_first import OfflineFirst
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, DiagonalGaussian, Dual, Part


class MPOParts(NamedTuple):
    """What MPO learns with."""

    policy: Part
    critic: Critics
    temperature: Dual
    penalty_temperature: Dual
    mean_multiplier: Dual
    std_multiplier: Dual


class MPO(OfflineFirst, ActorCritic):
    """MPO: regression on reweighted actions of the old policy (Abdolmaleki et al. 2018)."""

    kind: Literal["mpo"] = "mpo"  # pyright: ignore[reportIncompatibleVariableOverride]
    samples: int = Field(default=20, ge=1, le=1024)
    """Actions a state, of the E-step and of targets."""
    epsilon: float = Field(default=0.1, gt=0)
    """KL divergence of the E-step from the old policy, nats."""
    penalty_epsilon: float | None = Field(default=1e-3, gt=0)
    """The same for the weights that keep actions within bounds; null has none."""
    mean_epsilon: float = Field(default=2.5e-3, gt=0)
    """Trust region of the mean, nats per action dimension."""
    std_epsilon: float = Field(default=1e-6, gt=0)
    """Trust region of the std, nats per action dimension."""
    dual_learning_rate: LearningRate = 1e-2
    """Adam's rate for temperatures and multipliers."""
    target_period: int = Field(default=100, ge=1)
    """Updates after which the slow copies follow."""
    tau: float = Field(default=1.0, gt=0, le=1)
    """How far slow copies follow every target_period updates; 1 copies all."""
    largest_gradient: float = Field(default=40.0, gt=0)
    """Norm that gradients of policy and critic are scaled to."""
    offline_updates: int = Field(default=0, ge=0)
    """Updates on the replay before interaction goes on."""
    policy_learning_rate: LearningRate = 1e-4
    """Adam's rate for the policy."""
    critic_learning_rate: LearningRate = 1e-4
    """Adam's rate for the critic."""

    def parts(self, agent: Agent, generator: torch.Generator) -> MPOParts:
        """An unsquashed Gaussian and one critic, both with slow copies, and four duals."""
        network, rate = self.policy_network(agent, generator, squash=False), self.dual_learning_rate
        clip, size = self.largest_gradient, agent.spaces.action_dim
        policy = parts.Part(network, self.policy_learning_rate, slow=True, clip=clip)
        critic = self.critics(agent, generator, n_critics=1)
        critic.clip = clip
        return MPOParts(
            policy,
            critic,
            parts.Dual.softplus(10.0, rate),
            parts.Dual.softplus(10.0, rate),
            parts.Dual.softplus(10.0, rate, size),
            parts.Dual.softplus(1000.0, rate, size),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Critic; E-step, M-step and duals; slow copies every so often."""
        losses = self.critic_step(agent, batch) | self.actor_step(agent, batch)
        if agent.updates % self.target_period == 0:
            agent.parts.critic.follow(self.tau)
            agent.parts.policy.follow(self.tau)
        return losses

    def drawn(self, agent: Agent, states: Tensor) -> Tensor:
        """Actions (N, B, A) of the slow policy at states (B, S), without gradient."""
        with parts.no_grad():
            old = agent.parts.policy.slow(states)
            return old.mean + old.std * parts.normal((self.samples, *old.mean.shape), agent.noise)

    proposed = drawn
    """The actions that the E-step weighs"""

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The mean of the slow critic over the slow policy's actions."""
        actions = self.drawn(agent, batch.next_states)
        return agent.parts.critic.slow(batch.next_states, actions).amin(0).mean(0)

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """The E-step's weights, one step of the policy on them, one of every dual."""
        actions = self.proposed(agent, batch.states)
        with parts.no_grad():
            values = agent.parts.critic.slow(batch.states, actions).amin(0)
        weights = self.improve(agent.parts.temperature, values, self.epsilon)
        losses = {"temperature": agent.parts.temperature.value()}
        losses["effective_samples"] = 1.0 / weights.square().sum(0).mean()
        if self.penalty_epsilon is not None:
            outside = -(actions - actions.clamp(-1.0, 1.0)).norm(dim=-1)
            penalty, epsilon = agent.parts.penalty_temperature, self.penalty_epsilon
            weights = weights + self.improve(penalty, outside, epsilon)
        return losses | self.regress(agent, batch.states, actions, weights)

    def improve(self, temperature: Dual, values: Tensor, epsilon: float) -> Tensor:
        """The E-step: weights (N, B) of values (N, B), and a step of the temperature's dual."""
        weights = (values / temperature.value()).softmax(0)
        eta = temperature()
        excess = (values / eta).logsumexp(0).mean() - math.log(len(values))
        temperature.descend(eta * (epsilon + excess))
        return weights

    def regress(self, agent: Agent, states: Tensor, actions: Tensor, weights: Tensor) -> Losses:
        """The M-step on weighted actions (N, B, A) and (N, B), in the trust region."""
        policy, _, _, _, mean_multiplier, std_multiplier = agent.parts[:6]
        old, new = policy.slow(states), policy(states)
        moved = parts.DiagonalGaussian(new.mean, old.std)
        widened = parts.DiagonalGaussian(old.mean, new.std)
        likelihood = (weights * (moved.log_prob(actions) + widened.log_prob(actions))).sum(0)
        mean_kl, std_kl = self.divergence(old, moved), self.divergence(old, widened)
        bound = mean_multiplier.value() * mean_kl + std_multiplier.value() * std_kl
        loss = (bound.sum(-1) - likelihood).mean()
        losses = {"actor_loss": loss, "actor_grad_norm": policy.descend(loss)}
        mean_multiplier.ascend(mean_kl - self.mean_epsilon)
        std_multiplier.ascend(std_kl - self.std_epsilon)
        kls = {"mean_kl": mean_kl.sum(-1).mean(), "std_kl": std_kl.sum(-1).mean()}
        return losses | kls | {"actor_std": new.std.mean()}

    def divergence(self, old: DiagonalGaussian, new: DiagonalGaussian) -> Tensor:
        """KL(old || new) in nats, each dimension for itself, (B, A)."""
        ratio, shift = old.std / new.std, (old.mean - new.mean) / new.std
        return 0.5 * (ratio.square() + shift.square() - 1.0) - ratio.log()
