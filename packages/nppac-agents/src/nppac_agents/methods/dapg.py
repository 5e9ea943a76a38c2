"""DAPG: natural policy gradient with demonstrations (Rajeswaran et al. 2018).

    gradient   g = 1/N [sum A(s, a) grad log pi(a|s) + w_k sum grad log pi(a*|s*)]
    weight     w_k = lambda_0 lambda_1^k,   k the updates before this one
    step       theta <- theta + sqrt(delta / g' F^-1 g) F^-1 g

over N transitions of the current policy with advantages A, standardised over the N, and over all
demonstrated (s*, a*); F is the Fisher information at the N states. The quadratic model of the step
has KL(pi_new || pi_old) = delta / 2. With lambda_0 = 0 it is the natural policy gradient; with A =
0 a natural gradient step of cloning. A is GAE(lambda) over a value baseline that knows the time in
the episode. The policy starts as a clone of the demonstrations, fitted by squared errors.

w_k has no factor of the largest advantage, as in the released code and unlike the paper. The value
of the state at which an episode is cut stands both in the advantages and in the returns that the
baseline is fitted to, where the code ends the returns and bootstraps from the state before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.data.discounting import Discounting
from nppac_agents.methods.base import BatchSize, LearningRate, Width
from nppac_agents.methods.on_policy import OnPolicy
from nppac_agents.phase import Losses, Phase, cloning, fresh

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Part


class DAPGParts(NamedTuple):
    """What DAPG learns with; the policy's optimizer is that of its cloning."""

    policy: Part
    baseline: Part


class DAPG(OnPolicy):
    """DAPG: natural gradient steps towards reward and demonstrations (Rajeswaran et al. 2018)."""

    uses_prior: ClassVar[bool] = False
    demonstrations_for: ClassVar[str | None] = "it starts as their clone"
    needs_rewards: ClassVar[bool] = False

    kind: Literal["dapg"] = "dapg"  # pyright: ignore[reportIncompatibleVariableOverride]
    steps_per_update: int = Field(default=40_000, ge=1)
    """Environment steps that one update consumes (source: 200 episodes of 200). Best a multiple of
    n_envs times the horizon: an episode that is cut goes on as a new one, counted from the cut."""
    demonstration_weight: float = Field(default=0.01, ge=0)
    """Lambda_0, the weight of a demonstrated transition in the first update, in standard deviations
    of the advantage (0.01 in the released configuration, 0.1 in the paper)."""
    demonstration_decay: float = Field(default=0.95, ge=0, le=1)
    """Lambda_1: the weight's factor from update to update."""
    step_size: float = Field(default=0.05, gt=0, le=10)
    """Delta, twice the KL divergence of a step by its quadratic model."""
    conjugate_gradient_iterations: int = Field(default=10, ge=1, le=1_000)
    """Fisher products per update."""
    damping: float = Field(default=1e-4, ge=0)
    """Added to the diagonal of the Fisher information."""
    gamma: float = Field(default=0.995, ge=0, lt=1)
    """Discount factor per environment step."""
    trace_decay: float = Field(default=0.97, ge=0, le=1)
    """The lambda of generalised advantage estimation."""
    policy_hidden: tuple[Width, ...] = (32, 32)
    """Hidden widths of the policy network, with tanh."""
    lowest_log_std: float = Field(default=-3.0, ge=-20, le=2)
    """Floor of the policy's log standard deviation."""
    cloning_epochs: int = Field(default=5, ge=0)
    """Passes over the demonstrations that make the first policy."""
    cloning_batch_size: int = Field(default=32, ge=1, le=65536)
    """Demonstrated transitions per cloning update."""
    cloning_learning_rate: LearningRate = 1e-3
    """Adam's rate for cloning."""
    critic_hidden: tuple[Width, ...] = (128, 128)
    """Hidden widths of the value baseline."""
    critic_learning_rate: LearningRate = 1e-3
    """Adam's rate for the value baseline."""
    critic_weight_decay: float = Field(default=1e-3, ge=0, le=1)
    """Adam's weight decay of the value baseline."""
    critic_epochs: int = Field(default=2, ge=1)
    """Passes of the value baseline over an update's transitions."""
    batch_size: BatchSize = 64
    """Transitions per step of the value baseline."""

    def parts(self, agent: Agent, generator: torch.Generator) -> DAPGParts:
        """A tanh network in units of the demonstrations, and a baseline V(s, t)."""
        shown = agent.layout.unpack(agent.demonstrated)
        network = parts.StandardisedPolicy(
            *(shown.states, shown.actions, self.policy_hidden),
            lowest_log_std=self.lowest_log_std,
            generator=generator,
        )
        size, rate = agent.spaces.state_dim, self.critic_learning_rate
        baseline = parts.ValueBaseline(size, self.critic_hidden, generator=generator)
        return DAPGParts(
            parts.Part(network, self.cloning_learning_rate, optimised=network.body),
            parts.Part(baseline, rate, decay=self.critic_weight_decay),
        )

    def phases(self, agent: Agent) -> list[Phase]:
        """Cloning, then interaction, each update on everything since the last one."""
        batches = math.ceil(len(agent.demonstrated) / self.cloning_batch_size)
        first = cloning(self.cloning_epochs * batches, self.clone, self.cloning_batch_size)
        return [*first, self.online(fresh)]

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the policy, then the baseline's passes, on transitions in time order."""
        ends = batch.terminated.maximum(batch.truncated)
        times = parts.steps_since_start(ends)
        with parts.no_grad():
            values = agent.parts.baseline(batch.states, times)
            following = agent.parts.baseline(batch.next_states, times + 1.0)
        errors = batch.rewards + batch.discounts * following - values
        advantages, excess = (
            parts.generalised_advantages(errors, ends, self.gamma * decay)
            for decay in (self.trace_decay, 1.0)
        )
        losses = self.policy_step(agent, batch, parts.standardised(advantages, 1e-6))
        losses |= self.baseline_step(agent, batch.states, times, values + excess)
        return losses | {"critic_value": values.mean(), "target_value": (values + excess).mean()}

    def policy_step(self, agent: Agent, batch: Transitions, advantages: Tensor) -> Losses:
        """The natural gradient step, for standardised advantages (B,)."""
        network, surrogate = agent.parts.policy.net, self.surrogate(agent, batch, advantages)
        old, weights = network(batch.states), list(network.parameters())
        settings = self.step_size, self.damping, self.conjugate_gradient_iterations
        norm = parts.natural_step(old, weights, surrogate, *settings)
        with parts.no_grad():
            network.log_std.clamp_(min=self.lowest_log_std)
            new = network(batch.states)
        return {
            "actor_loss": -surrogate,
            "actor_grad_norm": norm,
            "actor_std": new.std.mean(),
            "step_kl": parts.analytic_kl(new, old).mean(),
            "demonstration_weight": surrogate.new_tensor(self.weight(agent.updates)),
        }

    def surrogate(self, agent: Agent, batch: Transitions, advantages: Tensor) -> Tensor:
        """The scalar with gradient g at the current policy, for standardised advantages (B,)."""
        shown, policy = agent.layout.unpack(agent.demonstrated), agent.parts.policy
        rewarded = (advantages * policy(batch.states).log_prob(batch.actions)).sum()
        cloned = policy(shown.states).log_prob(shown.actions).sum()
        return (rewarded + self.weight(agent.updates) * cloned) / len(advantages)

    def baseline_step(self, agent: Agent, states: Tensor, times: Tensor, returns: Tensor) -> Losses:
        """Passes over states (B, S) at `times` (B,) on the squared errors to returns (B,)."""
        baseline = agent.parts.baseline
        loss, norm = baseline.descend_in_passes(
            lambda states, times, returns: (baseline(states, times) - returns).square().mean(),
            (states, times, returns),
            batch_size=self.batch_size,
            steps=self.critic_epochs * math.ceil(len(states) / self.batch_size),
            generator=agent.noise,
        )
        return {"critic_loss": loss, "critic_grad_norm": norm}

    def weight(self, update: int) -> float:
        """w_k of update number `update`, from 0."""
        return self.demonstration_weight * self.demonstration_decay**update

    def clone(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the mean on squared errors of demonstrated actions."""
        policy = agent.parts.policy
        loss = (policy.net.mode(batch.states) - batch.actions).square().mean()
        return {"actor_loss": loss, "actor_grad_norm": policy.descend(loss)}

    def discounting(self) -> Discounting:
        """Gamma; what follows a time limit has a value."""
        return Discounting(self.gamma)
