"""BCQ: batch-constrained deep Q-learning (Fujimoto et al. 2019), as its released code.

    behaviour     minimise mean (a - a_hat)^2 + 1/2 mean KL(q(z|s, a) || N(0, I)), a CVAE
    critics       minimise sum_j mean (Q_j(s, a) - y)^2,   y = r + gamma (1 - d) V(s'),
                  V(s') = max_k [lambda min_j Qbar_j + (1 - lambda) max_j Qbar_j](s', a'_k)
                  (eq. 13), a'_k = xibar(s', b'_k), b'_k ~ behaviour
    perturbation  xi(s, b) = clip(b + Phi tanh(net(s, b)), -1, 1),
                  minimise - mean Q_1(s, xi(s, b)),   b ~ behaviour (eq. 12)
    slow          Qbar <- Qbar + tau (Q - Qbar), and xibar, the slow perturbation, alike
    acting        argmax_k Q_1(s, xi(s, b_k)),   b_k ~ behaviour

Phi is `reach` and lambda `lowest_share`. With Phi = 0 it takes the best of the behaviour's own
actions. Latents of the behaviour are cut off at half a standard deviation when it is sampled.

Tianshou's BCQ is not this method: its target leaves out the slow perturbation, and stops at time
limits as if the task had ended there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.base import BatchSize, LearningRate, Width
from nppac_agents.methods.offline_first import OfflineFirst
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Part
    from nppac_agents.parts.deployment import Deployed

CUT_OFF = 0.5


class BCQParts(NamedTuple):
    """What BCQ learns with; its policy is the perturbation of the behaviour's actions."""

    policy: Part
    critic: Critics
    behaviour: Part


class BCQ(OfflineFirst, ActorCritic):
    """BCQ: the best of perturbed actions of a behaviour model (Fujimoto et al. 2019)."""

    kind: Literal["bcq"] = "bcq"  # pyright: ignore[reportIncompatibleVariableOverride]
    reach: float = Field(default=0.05, ge=0, le=2)
    """Phi: how far the perturbation moves an action; 0 leaves it as it is."""
    lowest_share: float = Field(default=0.75, ge=0, le=1)
    """Lambda: share of the lowest critic in the backed-up value, the rest is the highest one's."""
    target_candidates: int = Field(default=10, ge=1, le=1024)
    """Actions of which the best is backed up."""
    acting_candidates: int = Field(default=100, ge=1, le=1024)
    """Actions of which the best is taken."""
    behaviour_learning_rate: LearningRate = 1e-3
    """Adam's rate for the behaviour."""
    behaviour_hidden: tuple[Width, ...] = (750, 750)
    """Hidden widths of the behaviour's encoder and decoder."""
    batch_size: BatchSize = 100
    """Transitions per update."""
    policy_learning_rate: LearningRate = 1e-3
    """Adam's rate for the perturbation."""
    critic_learning_rate: LearningRate = 1e-3
    """Adam's rate for the critics."""
    policy_hidden: tuple[Width, ...] = (400, 300)
    """Hidden widths of the perturbation."""
    critic_hidden: tuple[Width, ...] = (400, 300)
    """Hidden widths of each critic."""

    def parts(self, agent: Agent, generator: torch.Generator) -> BCQParts:
        """The perturbation with a slow copy, two critics, the behaviour."""
        sizes, inputs = (agent.spaces.state_dim, agent.spaces.action_dim), self.standardiser(agent)
        perturbation = parts.Perturbation(
            *sizes, self.policy_hidden, reach=self.reach, standardiser=inputs, generator=generator
        )
        behaviour = parts.CVAE(
            *sizes, 2 * sizes[1], self.behaviour_hidden, inputs=inputs, generator=generator
        )
        return BCQParts(
            parts.Part(perturbation, self.policy_learning_rate, slow=True),
            self.critics(agent, generator),
            parts.Part(behaviour, self.behaviour_learning_rate),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Behaviour, critics, perturbation, slow copies."""
        losses = self.behaviour_step(agent, batch)
        losses |= self.critic_step(agent, batch) | self.actor_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        agent.parts.policy.follow(self.tau)
        return losses

    def behaviour_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the behaviour on the replay's actions."""
        behaviour = agent.parts.behaviour
        made, kl = behaviour.net.reconstruct(batch.states, batch.actions, agent.noise)
        loss = (made - batch.actions).square().mean() + 0.5 * kl.mean()
        return {"behaviour_loss": loss, "behaviour_grad_norm": behaviour.descend(loss)}

    def behaved(self, agent: Agent, states: Tensor, noise: Tensor) -> Tensor:
        """The behaviour's actions (N, B, A) at states (B, S), by standard normal noise."""
        with parts.no_grad():
            states = states.expand(len(noise), *states.shape)
            latents = noise.clamp(-CUT_OFF, CUT_OFF).expand(*states.shape[:-1], -1)
            return agent.parts.behaviour.net.decode(states, latents).tanh()

    def noise(self, agent: Agent, candidates: int, states: Tensor) -> Tensor:
        """Standard normal (N, B, Z) of the losses."""
        shape = candidates, len(states), agent.parts.behaviour.net.latent_dim
        return parts.normal(shape, agent.noise)

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The best of the slow perturbation's candidates by the mixed slow critics."""
        states = batch.next_states
        behaved = self.behaved(agent, states, self.noise(agent, self.target_candidates, states))
        actions = agent.parts.policy.slow(states, behaved)
        return agent.parts.critic.mixed(states, actions, self.lowest_share).amax(0)

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the perturbation up the first critic."""
        behaved = self.behaved(agent, batch.states, self.noise(agent, 1, batch.states))
        actions = agent.parts.policy(batch.states, behaved)
        loss = -agent.parts.critic.frozen(batch.states, actions)[0].mean()
        losses = {"actor_loss": loss, "actor_grad_norm": agent.parts.policy.descend(loss)}
        return losses | {"perturbation": (actions - behaved).abs().mean()}

    def act(self, agent: Agent, states: Tensor, *, deterministic: bool) -> Tensor:
        """The first critic's choice of perturbed actions of the behaviour.

        Deterministic ones have the same noise in every state and at every call.
        """
        candidates, size = self.acting_candidates, agent.parts.behaviour.net.latent_dim
        if deterministic:
            noise = parts.fixed_normal((candidates, size), states.device)[:, None]
        else:
            noise = parts.normal((candidates, len(states), size), agent.acting)
        actions = agent.parts.policy(states, self.behaved(agent, states, noise))
        best = agent.parts.critic(states, actions)[0].argmax(0)
        return actions[best, range(len(states))]

    def deployed(self, agent: Agent) -> Deployed:
        """The first critic's choice of the same candidates."""
        learned, shape = agent.parts, (self.acting_candidates, agent.parts.behaviour.net.latent_dim)
        latents = parts.fixed_normal(shape, agent.device).clamp(-CUT_OFF, CUT_OFF)
        return parts.best_behaviour(
            learned.behaviour.net, latents, learned.policy.net, learned.critic.net
        )
