"""AWR: advantage-weighted regression (Peng et al. 2019), as its released code.

One update is one iteration on everything stored, episode after episode:

    targets   G_t = r_t + gamma (1 - d) [(1 - lambda) V(s_t+1) + lambda G_t+1], TD(lambda) returns
              that begin with V where an episode was cut
    value     minimise mean 1/2 [(1 - gamma) (V(s) - G)]^2, `critic_updates` minibatches
    policy    minimise - mean [min(exp(A / beta), 20) log pi(a|s)], `policy_updates` minibatches;
              A = G - V(s) with the new V in both, less its mean and over its standard deviation

There is no Q: no step asks about an action that nobody has taken. The demonstrations are stored,
and the latest `training.replay_capacity` steps of interaction (50,000 in the source,
where demonstrations leave the store too). At beta towards infinity the policy clones the store;
lambda = 0 has one-step targets, lambda = 1 the returns themselves.

The policy's standard deviation is fixed. Its mean goes through a tanh, where the source's pays for
leaving the bounds.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.data.discounting import Discounting
from nppac_agents.methods.base import LearningRate, Width
from nppac_agents.methods.on_policy import OnPolicy
from nppac_agents.phase import Losses, Phase, stored

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Part


MOMENTUM = 0.9
LARGEST_WEIGHT = 20.0


class AWRParts(NamedTuple):
    """What AWR learns with."""

    policy: Part
    value: Part


class AWR(OnPolicy):
    """AWR: regression on stored actions by their TD(lambda) advantage (Peng et al. 2019)."""

    uses_prior: ClassVar[bool] = False
    demonstrations_for: ClassVar[str | None] = "they are what it stores first"

    kind: Literal["awr"] = "awr"  # pyright: ignore[reportIncompatibleVariableOverride]
    steps_per_update: int = Field(default=2048, ge=1)
    """Environment steps between two updates."""
    offline_updates: int = Field(default=0, ge=0)
    """Updates on the demonstrations before interaction starts."""
    critic_updates: int = Field(default=200, ge=1)
    """Minibatches of the value in one update."""
    policy_updates: int = Field(default=1000, ge=1)
    """Minibatches of the policy in one update."""
    gamma: float = Field(default=0.99, ge=0, lt=1)
    """Discount factor per environment step."""
    trace_decay: float = Field(default=0.95, ge=0, le=1)
    """The lambda of TD(lambda)."""
    advantage_temperature: float = Field(default=1.0, gt=0)
    """Beta, in standard deviations of the advantage."""
    policy_std: float = Field(default=0.4, gt=0, le=2)
    """Standard deviation of the policy, in action units (source: 0.2 for the ant)."""
    policy_learning_rate: LearningRate = 5e-5
    """Rate of the policy's gradient descent (source: 2.5e-5 for the walker)."""
    critic_learning_rate: LearningRate = 1e-2
    """Rate of the value's gradient descent."""
    policy_hidden: tuple[Width, ...] = (128, 64)
    """Hidden widths of the policy network."""
    critic_hidden: tuple[Width, ...] = (128, 64)
    """Hidden widths of the value network."""
    standardise_states: bool = True
    """Feed the networks states standardised over the demonstrations (source: over the first 300,000
    steps)."""

    def parts(self, agent: Agent, generator: torch.Generator) -> AWRParts:
        """A Gaussian of fixed standard deviation, and a network of (1 - gamma) V."""
        size, log_std = agent.spaces.state_dim, math.log(self.policy_std)
        shared: dict[str, Any] = {"standardiser": self.standardiser(agent), "generator": generator}
        policy = parts.ConstantStdPolicy(
            *(size, agent.spaces.action_dim, self.policy_hidden),
            log_std_range=(log_std, log_std),
            bounding="clamp",
            **shared,
        )
        value = parts.StateValue(size, self.critic_hidden, **shared)
        return AWRParts(
            parts.Part(policy, self.policy_learning_rate, momentum=MOMENTUM),
            parts.Part(value, self.critic_learning_rate, momentum=MOMENTUM),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """One iteration on the demonstrations and on `batch`, interaction in time order."""
        everything = agent.layout.unpack(agent.demonstrated).followed_by(batch)
        targets = self.returns(agent, everything)
        shared: dict[str, Any] = {"batch_size": self.batch_size, "generator": agent.noise}
        critic_loss, critic_norm = agent.parts.value.descend_in_passes(
            functools.partial(self.value_loss, agent),
            (everything.states, targets),
            **shared,
            steps=self.critic_updates,
        )
        returns, values = self.returns(agent, everything), self.values(agent, everything.states)
        weights = self.weigh(returns - values)
        actor_loss, actor_norm = agent.parts.policy.descend_in_passes(
            functools.partial(self.policy_loss, agent),
            (everything.states, everything.actions, weights),
            **shared,
            steps=self.policy_updates,
        )
        return {
            "critic_loss": critic_loss,
            "critic_grad_norm": critic_norm,
            "actor_loss": actor_loss,
            "actor_grad_norm": actor_norm,
            "critic_value": values.mean(),
            "target_value": returns.mean(),
            "actor_std": weights.new_tensor(self.policy_std),
            "largest_weight": weights.max(),
        }

    def values(self, agent: Agent, states: Tensor) -> Tensor:
        """V (B,) without gradient."""
        with parts.no_grad():
            return agent.parts.value(states) / (1.0 - self.gamma)

    def returns(self, agent: Agent, stored: Transitions) -> Tensor:
        """TD(lambda) returns G (B,) of transitions in time order."""
        values, following = (self.values(agent, s) for s in (stored.states, stored.next_states))
        errors = stored.rewards + stored.discounts * following - values
        ends = stored.terminated.maximum(stored.truncated)
        decay = self.gamma * self.trace_decay
        return values + parts.generalised_advantages(errors, ends, decay)

    def value_loss(self, agent: Agent, states: Tensor, returns: Tensor) -> Tensor:
        """Half the mean squared error of V from returns (B,), in units of the largest value."""
        return 0.5 * (agent.parts.value(states) - (1.0 - self.gamma) * returns).square().mean()

    def weigh(self, advantages: Tensor) -> Tensor:
        """Weights (B,) of advantages (B,), which are standardised first."""
        standard = parts.standardised(advantages, 1e-5)
        return (standard / self.advantage_temperature).exp().clamp(max=LARGEST_WEIGHT)

    def policy_loss(self, agent: Agent, states: Tensor, actions: Tensor, weights: Tensor) -> Tensor:
        """The weighted negative log-likelihood of stored actions (B, A)."""
        return -(weights * agent.parts.policy(states).log_prob(actions)).mean()

    def learns_offline(self) -> bool:
        """With `offline_updates`."""
        return self.offline_updates > 0

    def phases(self, agent: Agent) -> list[Phase]:
        """Optionally on the demonstrations alone, then an update for every so many steps."""
        alone = Phase("offline", self.offline_updates, batch=stored)
        return [*([alone] if self.offline_updates else []), self.online(stored)]

    def discounting(self) -> Discounting:
        """Gamma; what follows a time limit has a value."""
        return Discounting(self.gamma)
