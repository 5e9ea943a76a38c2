"""ABM: advantage-weighted behaviour model (Siegel et al. 2020), with MPO's policy or AWAC's.

    prior       minimise - mean [f(A(s, a)) log pi_abm(a|s)],   A(s, a) = Q(s, a) - V(s),
                f = 1[A > 0] (the paper), w = exp(A / beta) over the minibatch (rlkit), or 1
    critics     minimise sum_j mean (Q_j(s, a) - y)^2,   y = r + gamma (1 - d) V'(s'),
                V'(s') = mean_n Qbar(s', a'_n),   a'_n ~ pibar(.|s')
    policy      `mpo`: MPO's E-step and M-step, but with actions of the prior, a_n ~ pi_abm(.|s), so
                that KL(q || pi_abm) is held at `epsilon`
                `awac`: minimise - mean [w(s, a) log pi(a|s)],   a ~ pi_abm(.|s),
                w = B softmax((Q(s, a) - V(s)) / lambda) over the minibatch of B (Nair et al. 2020,
                eq. 16 and 17)

Q is the lowest critic, V(s) its value at one action of the policy. The paper's advantage is an
n-step return less V, which Nair et al. replace by Q. With f = 1 the prior clones the data; where no
advantage is above zero, the indicator leaves it as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.base import LearningRate
from nppac_agents.methods.mpo import MPO
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Dual, Part


class ABMParts(NamedTuple):
    """What ABM learns with: MPO's, and the advantage-weighted behaviour model."""

    policy: Part
    critic: Critics
    temperature: Dual
    penalty_temperature: Dual
    mean_multiplier: Dual
    std_multiplier: Dual
    behaviour: Part


class ABM(MPO):
    """ABM: a policy improved on a learned prior of the data's good actions (Siegel et al. 2020)."""

    kind: Literal["abm"] = "abm"  # pyright: ignore[reportIncompatibleVariableOverride]
    advantage_weights: Literal["indicator", "exp", "one"] = "indicator"
    """f, how the prior weighs a transition: whether its advantage is above zero, its exponential
    over the minibatch, or all alike."""
    policy_step: Literal["mpo", "awac"] = "mpo"
    """`mpo`: reweighted actions of the prior, in a trust region (the source); `awac`: one action of
    the prior, weighted (Nair et al. 2020)."""
    advantage_temperature: float = Field(default=1.0, gt=0)
    """Beta and lambda, in value, of weights that are exponential."""
    behaviour_learning_rate: LearningRate = 1e-4
    """Adam's rate for the prior."""
    n_critics: int = Field(default=1, ge=1, le=100)
    """Critics, the lowest of which counts (Nair et al.: 2)."""
    offline_updates: int = Field(default=1_000_000, ge=0)
    """Updates on the replay before interaction goes on."""

    def parts(self, agent: Agent, generator: torch.Generator) -> ABMParts:  # pyright: ignore[reportIncompatibleMethodOverride]
        """MPO's, with more critics where asked, and a second Gaussian."""
        known = super().parts(agent, generator)
        if self.n_critics > 1:
            critic = self.critics(agent, generator, n_critics=self.n_critics)
            critic.clip = self.largest_gradient
            known = known._replace(critic=critic)
        network = self.policy_network(agent, generator, squash=False)
        clip = self.largest_gradient
        return ABMParts(*known, parts.Part(network, self.behaviour_learning_rate, clip=clip))

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Prior, then as MPO."""
        return self.behaviour_step(agent, batch) | super().update(agent, batch)

    def advantages(self, agent: Agent, states: Tensor, actions: Tensor) -> Tensor:
        """Of actions (B, A) at states (B, S) over one action of the policy, (B,)."""
        with parts.no_grad():
            own, _ = agent.parts.policy(states).sample(agent.noise)
            critic = agent.parts.critic
            return critic(states, actions).amin(0) - critic(states, own).amin(0)

    def weigh(self, advantages: Tensor, weights: Literal["indicator", "exp", "one"]) -> Tensor:
        """f of advantages (B,); exponential ones are B times their softmax."""
        if weights == "indicator":
            return (advantages > 0).to(advantages.dtype)
        if weights == "one":
            return advantages.new_ones(len(advantages))
        return (advantages / self.advantage_temperature).softmax(0) * len(advantages)

    def behaviour_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the prior on the replay's actions, by their advantages."""
        advantages = self.advantages(agent, batch.states, batch.actions)
        weights = self.weigh(advantages, self.advantage_weights)
        log_prob = agent.parts.behaviour(batch.states).log_prob(batch.actions)
        loss = -(weights * log_prob).mean()
        norm = agent.parts.behaviour.descend(loss)
        losses = {"behaviour_loss": loss, "behaviour_grad_norm": norm}
        return losses | {
            "advantage": advantages.mean(),
            "kept": (weights > 0).to(weights.dtype).mean(),
        }

    def proposed(self, agent: Agent, states: Tensor) -> Tensor:
        """Actions (N, B, A) of the prior at states (B, S), without gradient."""
        with parts.no_grad():
            prior = agent.parts.behaviour(states)
            noise = parts.normal((self.samples, *prior.mean.shape), agent.noise)
            return prior.mean + prior.std * noise

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """MPO's step, or a weighted regression on one action of the prior."""
        if self.policy_step == "mpo":
            return super().actor_step(agent, batch)
        with parts.no_grad():
            actions, _ = agent.parts.behaviour(batch.states).sample(agent.noise)
        weights = self.weigh(self.advantages(agent, batch.states, actions), "exp")
        policy = agent.parts.policy(batch.states)
        loss = -(weights * policy.log_prob(actions)).mean()
        losses = {"actor_loss": loss, "actor_grad_norm": agent.parts.policy.descend(loss)}
        return losses | {"actor_std": policy.std.mean(), "largest_weight": weights.max()}
