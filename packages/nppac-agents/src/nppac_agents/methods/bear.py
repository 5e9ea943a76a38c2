"""BEAR: bootstrapping error accumulation reduction (Kumar et al. 2019), as its released code.

    behaviour   minimise mean (a - a_hat)^2 + 1/2 mean KL(q(z|s, a) || N(0, I)), a CVAE
    critics     minimise sum_j mean (Q_j(s, a) - y)^2,   y = r + gamma (1 - d) V(s'),
                V(s') = max_k [3/4 min_j Qbar_j + 1/4 max_j Qbar_j](s', a'_k),   a'_k ~ pibar(.|s')
    policy      minimise mean [lambda MMD(s) - min_j mean_n Q_j(s, a_n)],   a_n ~ pi(.|s);
                in the first `warmup_updates` without the critics
    multiplier  ascend lambda mean [MMD(s) - largest_mmd],   log lambda in [-5, 10]
    slow        Qbar <- Qbar + tau (Q - Qbar), and pibar, the policy's slow copy, alike
    acting      argmax_k Q_1(s, a_k),   a_k ~ pi(.|s)

MMD(s) compares N actions of the policy with N of the behaviour, before their tanh, where it has
gradients however close they are to the bounds. Noise of both is cut off at half a standard
deviation there: the policy should stay on the data's support, not match its density.
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
    from nppac_agents.parts import Critics, Dual, Part
    from nppac_agents.parts.deployment import Deployed

LOWEST_SHARE = 0.75
LOG_BOUNDS = (-5.0, 10.0)
CUT_OFF = 0.5


class BEARParts(NamedTuple):
    """What BEAR learns with."""

    policy: Part
    critic: Critics
    behaviour: Part
    multiplier: Dual


class BEAR(OfflineFirst, ActorCritic):
    """BEAR: actor-critic on the support of the data, by MMD (Kumar et al. 2019)."""

    kind: Literal["bear"] = "bear"  # pyright: ignore[reportIncompatibleVariableOverride]
    largest_mmd: float = Field(default=0.05, gt=0)
    """Where the multiplier holds the MMD from the behaviour."""
    kernel: Literal["laplacian", "gaussian"] = "laplacian"
    """Kernel of the MMD."""
    sigma: float = Field(default=20.0, gt=0)
    """Scale of the kernel exp(-distance / (2 sigma)), on actions before their tanh."""
    mmd_samples: int = Field(default=10, ge=1, le=256)
    """Actions a state that the MMD compares on each side."""
    candidates: int = Field(default=10, ge=1, le=1024)
    """Actions of which the best is backed up and taken."""
    warmup_updates: int = Field(default=40_000, ge=0)
    """First updates whose policy minimises the MMD alone."""
    behaviour_learning_rate: LearningRate = 1e-3
    """Adam's rate for the behaviour."""
    behaviour_hidden: tuple[Width, ...] = (750, 750)
    """Hidden widths of the behaviour's encoder and decoder."""
    multiplier_learning_rate: LearningRate = 1e-3
    """Adam's rate for the multiplier's logarithm."""
    batch_size: BatchSize = 100
    """Transitions per update."""
    policy_learning_rate: LearningRate = 1e-3
    """Adam's rate for the policy."""
    critic_learning_rate: LearningRate = 1e-3
    """Adam's rate for the critics."""
    policy_hidden: tuple[Width, ...] = (400, 300)
    """Hidden widths of the policy network."""
    critic_hidden: tuple[Width, ...] = (400, 300)
    """Hidden widths of each critic."""

    def parts(self, agent: Agent, generator: torch.Generator) -> BEARParts:
        """A squashed Gaussian with a slow copy, two critics, the behaviour, the multiplier."""
        sizes = agent.spaces.state_dim, agent.spaces.action_dim, 2 * agent.spaces.action_dim
        policy = self.policy_network(agent, generator, squash=True)
        behaviour = parts.CVAE(
            *sizes, self.behaviour_hidden, inputs=self.standardiser(agent), generator=generator
        )
        return BEARParts(
            parts.Part(policy, self.policy_learning_rate, slow=True),
            self.critics(agent, generator),
            parts.Part(behaviour, self.behaviour_learning_rate),
            parts.Dual.scalar(1.0, self.multiplier_learning_rate, log_bounds=LOG_BOUNDS),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Behaviour, critics, policy and multiplier, slow copies."""
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

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The best of the slow policy's candidates by the mixed slow critics."""
        policy = agent.parts.policy.slow(batch.next_states)
        noise = parts.normal((self.candidates, *policy.mean.shape), agent.noise)
        actions = (policy.mean + policy.std * noise).tanh()
        return agent.parts.critic.mixed(batch.next_states, actions, LOWEST_SHARE).amax(0)

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the policy on its Lagrangian, then one of the multiplier."""
        policy = agent.parts.policy(batch.states)
        noise = parts.normal((self.mmd_samples, *policy.mean.shape), agent.noise)
        raw = policy.mean + policy.std * noise.clamp(-CUT_OFF, CUT_OFF)
        distance = parts.mmd(raw, self.behaved(agent, batch.states), self.kernel, self.sigma)
        multiplier = agent.parts.multiplier.value()
        loss = (multiplier * distance).mean()
        if agent.updates >= self.warmup_updates:
            values = agent.parts.critic.frozen(batch.states, raw.tanh())
            loss = loss - values.mean(1).amin(0).mean()
        norm = agent.parts.policy.descend(loss)
        agent.parts.multiplier.ascend(distance - self.largest_mmd)
        losses = {"actor_loss": loss, "actor_grad_norm": norm, "actor_std": policy.std.mean()}
        return losses | {"mmd": distance.mean(), "multiplier": multiplier}

    def behaved(self, agent: Agent, states: Tensor) -> Tensor:
        """The behaviour's actions before their tanh, (N, B, A), at states (B, S)."""
        behaviour = agent.parts.behaviour.net
        with parts.no_grad():
            shape = (self.mmd_samples, len(states), behaviour.latent_dim)
            latents = parts.normal(shape, agent.noise).clamp(-CUT_OFF, CUT_OFF)
            return behaviour.decode(states.expand(self.mmd_samples, *states.shape), latents)

    def act(self, agent: Agent, states: Tensor, *, deterministic: bool) -> Tensor:
        """The first critic's choice of candidates; the source evaluates so too.

        Deterministic ones have the same noise in every state and at every call.
        """
        policy, size = agent.parts.policy(states), agent.spaces.action_dim
        if deterministic:
            noise = parts.fixed_normal((self.candidates, size), states.device)[:, None]
        else:
            noise = parts.normal((self.candidates, len(states), size), agent.acting)
        actions = (policy.mean + policy.std * noise).tanh()
        best = agent.parts.critic(states, actions)[0].argmax(0)
        return actions[best, range(len(states))]

    def deployed(self, agent: Agent) -> Deployed:
        """The first critic's choice of the same candidates."""
        noise = parts.fixed_normal((self.candidates, agent.spaces.action_dim), agent.device)
        return parts.best_sample(agent.parts.policy.net, noise, agent.parts.critic.net)
