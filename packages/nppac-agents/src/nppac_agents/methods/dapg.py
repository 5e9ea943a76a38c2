"""DAPG: natural policy gradient with demonstrations (Rajeswaran et al. 2018).

    gradient   g = 1/N [sum A(s, a) grad log pi(a|s) + w_k sum grad log pi(a*|s*)]
    weight     w_k = lambda_0 lambda_1^k,   k the updates before this one
    step       theta <- theta + sqrt(delta / g' F^-1 g) F^-1 g

over N transitions of the current policy with advantages A, standardised over the N, and over all
demonstrated (s*, a*); F is the Fisher information at the N states. The quadratic model of the step
has KL(pi_new || pi_old) = delta / 2. With lambda_0 = 0 it is the natural policy gradient; with A =
0 a natural gradient step of cloning. A is GAE(lambda) over a value baseline that knows the time in
the episode. The policy starts as a clone of the demonstrations, fitted by squared errors.

Where it departs from the released code: the paper multiplies w_k by the largest advantage, the code
(and this) does not; the code's constant factor on g is left out, as the step cancels it; the value
of the state at which an episode is cut stands in both for the advantages and for the returns that
the baseline is fitted to, where the code ends the returns and bootstraps from the state before.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.data.discounting import Discounting
from nppac_agents.methods.base import BatchSize, LearningRate, Method, Width
from nppac_agents.phase import Losses, Phase
from nppac_agents.requirements import require_demonstrations

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Part
    from nppac_agents.spaces import Spaces


class DAPGParts(NamedTuple):
    """What DAPG learns with; the policy's optimizer is that of its cloning."""

    policy: Part
    baseline: Part


class DAPG(Method):
    """DAPG: natural gradient steps towards reward and demonstrations (Rajeswaran et al. 2018)."""

    uses_prior: ClassVar[bool] = False
    trainer: ClassVar[Literal["off-policy", "offline", "on-policy"]] = "on-policy"

    kind: Literal["dapg"] = "dapg"  # pyright: ignore[reportIncompatibleVariableOverride]
    steps_per_update: int = Field(
        default=40_000,
        ge=1,
        description="Environment steps that one update consumes: 200 episodes of 200 in the "
        "source. Best a multiple of n_envs times the horizon: an episode that the update cuts "
        "goes on as a new one, its time counted from the cut.",
    )
    demonstration_weight: float = Field(
        default=0.01,
        ge=0,
        description="Lambda_0, the weight of a demonstrated transition in the first update, in "
        "standard deviations of the advantage (0.01 in the released configuration, 0.1 in the "
        "paper).",
    )
    demonstration_decay: float = Field(
        default=0.95, ge=0, le=1, description="Lambda_1: the weight's factor from update to update."
    )
    step_size: float = Field(
        default=0.05,
        gt=0,
        le=10,
        description="Delta, twice the KL divergence of a step by its quadratic model.",
    )
    conjugate_gradient_iterations: int = Field(
        default=10, ge=1, le=1_000, description="Fisher products per update."
    )
    damping: float = Field(
        default=1e-4, ge=0, description="Added to the diagonal of the Fisher information."
    )
    gamma: float = Field(
        default=0.995, ge=0, lt=1, description="Discount factor per environment step."
    )
    trace_decay: float = Field(
        default=0.97, ge=0, le=1, description="The lambda of generalised advantage estimation."
    )
    policy_hidden: tuple[Width, ...] = Field(
        default=(32, 32), description="Hidden widths of the policy network, with tanh."
    )
    lowest_log_std: float = Field(
        default=-3.0, ge=-20, le=2, description="Floor of the policy's log standard deviation."
    )
    cloning_epochs: int = Field(
        default=5, ge=0, description="Passes over the demonstrations that make the first policy."
    )
    cloning_batch_size: int = Field(
        default=32, ge=1, le=65536, description="Demonstrated transitions per cloning update."
    )
    cloning_learning_rate: LearningRate = Field(
        default=1e-3, description="Adam's rate for cloning."
    )
    critic_hidden: tuple[Width, ...] = Field(
        default=(128, 128), description="Hidden widths of the value baseline."
    )
    critic_learning_rate: LearningRate = Field(
        default=1e-3, description="Adam's rate for the value baseline."
    )
    critic_weight_decay: float = Field(
        default=1e-3, ge=0, le=1, description="Adam's weight decay of the value baseline."
    )
    critic_epochs: int = Field(
        default=2, ge=1, description="Passes of the value baseline over an update's transitions."
    )
    batch_size: BatchSize = Field(
        default=64, description="Transitions per step of the value baseline."
    )

    def parts(self, agent: Agent, generator: torch.Generator) -> DAPGParts:
        """A tanh network in units of the demonstrations, and a baseline V(s, t)."""
        everything = agent.layout.unpack(agent.demonstrated)
        network = parts.StandardisedPolicy(
            everything.states,
            everything.actions,
            self.policy_hidden,
            lowest_log_std=self.lowest_log_std,
            generator=generator,
        )
        baseline = parts.ValueBaseline(
            agent.spaces.state_dim, self.critic_hidden, generator=generator
        )
        rate, decay = self.critic_learning_rate, self.critic_weight_decay
        return DAPGParts(
            parts.Part(network, self.cloning_learning_rate, optimised=network.body),
            parts.Part(baseline, rate, decay=decay),
        )

    def phases(self, agent: Agent) -> list[Phase]:
        """Cloning, then interaction, each update on everything since the last one."""
        batches = math.ceil(len(agent.demonstrated) / self.cloning_batch_size)
        updates = self.cloning_epochs * batches
        steps = self.steps_per_update
        online = Phase("online", interacts=True, batch=everything_fresh, steps_per_update=steps)
        if not updates:
            return [online]
        cloning = Phase(
            "pretrain", updates, update=self.clone, batch=self.demonstrated, prepares=True
        )
        return [cloning, online]

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the policy, then the baseline's passes.

        Args:
            agent: with its parts.
            batch: transitions in time order, episode after episode, as ``TensorReplay.in_order``
                gives them.
        """
        ends = batch.terminated.maximum(batch.truncated)
        times = parts.steps_since_start(ends)
        with parts.no_grad():
            values = agent.parts.baseline(batch.states, times)
            following = agent.parts.baseline(batch.next_states, times + 1.0)
        advantages, excess = (
            parts.generalised_advantages(
                batch.rewards + batch.discounts * following - values, ends, self.gamma * decay
            )
            for decay in (self.trace_decay, 1.0)
        )
        losses = self.policy_step(agent, batch, self.standardise(advantages))
        losses |= self.baseline_step(agent, batch.states, times, values + excess)
        return losses | {"critic_value": values.mean(), "target_value": (values + excess).mean()}

    def policy_step(self, agent: Agent, batch: Transitions, advantages: Tensor) -> Losses:
        """The natural gradient step, for standardised advantages (B,)."""
        network = agent.parts.policy.net
        weights = list(network.parameters())
        old = network(batch.states)
        surrogate = self.surrogate(agent, batch, advantages)
        gradient = parts.flat_gradient(surrogate, weights)
        fisher = parts.FisherProduct(old, weights, self.damping)
        direction = parts.conjugate_gradients(
            fisher, gradient, iterations=self.conjugate_gradient_iterations
        )
        parts.move(weights, self.step_length(gradient, direction) * direction)
        with parts.no_grad():
            network.log_std.clamp_(min=self.lowest_log_std)
            new = network(batch.states)
        return {
            "actor_loss": -surrogate,
            "actor_grad_norm": gradient.norm(),
            "actor_std": new.std.mean(),
            "step_kl": parts.analytic_kl(new, old).mean(),
            "demonstration_weight": surrogate.new_tensor(self.weight(agent.updates)),
        }

    def surrogate(self, agent: Agent, batch: Transitions, advantages: Tensor) -> Tensor:
        """The scalar with gradient g at the current policy, for standardised advantages (B,)."""
        demonstrated = agent.layout.unpack(agent.demonstrated)
        policy = agent.parts.policy
        rewarded = (advantages * policy(batch.states).log_prob(batch.actions)).sum()
        cloned = policy(demonstrated.states).log_prob(demonstrated.actions).sum()
        return (rewarded + self.weight(agent.updates) * cloned) / len(advantages)

    def baseline_step(self, agent: Agent, states: Tensor, times: Tensor, returns: Tensor) -> Losses:
        """Passes over states (B, S) at ``times`` (B,) on the squared errors to returns (B,)."""
        baseline, loss, norm = agent.parts.baseline, returns.new_zeros(()), returns.new_zeros(())
        passes = parts.shuffled_passes(len(states), self.batch_size, agent.noise)
        steps = self.critic_epochs * math.ceil(len(states) / self.batch_size)
        for _ in range(steps):
            rows = next(passes)
            error = (baseline(states[rows], times[rows]) - returns[rows]).square().mean()
            norm += baseline.descend(error)
            loss += error.detach()
        return {"critic_loss": loss / steps, "critic_grad_norm": norm / steps}

    def weight(self, update: int) -> float:
        """w_k of update number ``update``, from 0."""
        return self.demonstration_weight * self.demonstration_decay**update

    def standardise(self, advantages: Tensor) -> Tensor:
        """Advantages (N,) with mean 0 and deviation 1."""
        deviation = advantages.std(correction=0)
        return (advantages - advantages.mean()) / (deviation + 1e-6)

    def step_length(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """The factor of the ``direction`` F^-1 g (P,) whose KL is delta / 2, from g (P,)."""
        return (self.step_size / ((gradient @ direction).abs() + 1e-20)).sqrt()

    # The first policy.

    def clone(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the mean on squared errors of demonstrated actions."""
        policy = agent.parts.policy
        loss = (policy.net.mode(batch.states) - batch.actions).square().mean()
        return {"actor_loss": loss, "actor_grad_norm": policy.descend(loss)}

    def demonstrated(self, agent: Agent, replay: TensorReplay | None) -> Transitions:
        """A minibatch of demonstrated transitions."""
        return agent.draw_demonstrated(self.cloning_batch_size)

    def discounting(self) -> Discounting:
        """Gamma; what follows a time limit has a value."""
        return Discounting(self.gamma)

    def require(
        self, spaces: Spaces, prior: Prior | None, demonstrations: Demonstrations | None
    ) -> None:
        """Demonstrations; their rewards need not be known."""
        require_demonstrations(self.kind, "it starts as their clone", demonstrations)


def everything_fresh(agent: Agent, replay: TensorReplay | None) -> Transitions:
    """Everything in the replay, in time order; the replay then forgets it."""
    assert replay is not None
    batch = replay.in_order()
    replay.reset(keep_statistics=True)
    return batch
