"""IQL: implicit Q-learning (Kostrikov et al. 2022), in the order of its released code.

    value     minimise mean |tau - 1[u < 0]| u^2,   u = min_j Qbar_j(s, a) - V(s)
    policy    minimise - mean [min(exp(beta A(s, a)), 100) log pi(a|s)],
              A(s, a) = min_j Qbar_j(s, a) - V(s) with the new V
    critics   minimise sum_j mean (Q_j(s, a) - y)^2,   y = r + gamma (1 - d) V(s')
    slow      Qbar <- Qbar + rate (Q - Qbar)

(s, a) is always from the replay, which holds the demonstrations too: no step asks the critics about
an action that nobody has taken. tau is `expectile`, beta `inverse_temperature` and the rate of
the slow critics `tau`. At tau = 1/2, V is the mean of the slow critics and the critics learn the
value of the data's own policy; at beta = 0 the policy clones the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import ActorCritic
from nppac_agents.methods.base import LearningRate, Width
from nppac_agents.methods.offline_first import OfflineFirst
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Part


class IQLParts(NamedTuple):
    """What IQL learns with."""

    policy: Part
    critic: Critics
    value: Part


class IQL(OfflineFirst, ActorCritic):
    """IQL: expectile regression of values, advantage-weighted policy (Kostrikov et al. 2022)."""

    kind: Literal["iql"] = "iql"  # pyright: ignore[reportIncompatibleVariableOverride]
    expectile: float = Field(default=0.7, gt=0, lt=1)
    """Which expectile of the critics V is: 0.5 their mean, towards 1 their maximum (source: 0.7 for
    locomotion and hands, 0.9 for mazes)."""
    inverse_temperature: float = Field(default=3.0, ge=0)
    """Beta, per value: 0 clones (source: 3.0 for locomotion, 0.5 for hands, 10 for mazes)."""
    largest_weight: float = Field(default=100.0, gt=0)
    """Bound of the weights exp(beta A)."""
    value_learning_rate: LearningRate = 3e-4
    """Adam's rate for the state value."""
    value_hidden: tuple[Width, ...] = (256, 256)
    """Hidden widths of the state value."""

    def parts(self, agent: Agent, generator: torch.Generator) -> IQLParts:
        """A Gaussian with a tanh mean and one log std per dimension, two critics, V."""
        state_dim, standardiser = agent.spaces.state_dim, self.standardiser(agent)
        policy = parts.ConstantStdPolicy(
            state_dim,
            agent.spaces.action_dim,
            self.policy_hidden,
            log_std_range=(-5.0, 2.0),
            bounding="clamp",
            standardiser=standardiser,
            generator=generator,
        )
        value = parts.StateValue(
            state_dim, self.value_hidden, standardiser=standardiser, generator=generator
        )
        return IQLParts(
            parts.Part(policy, self.policy_learning_rate),
            self.critics(agent, generator),
            parts.Part(value, self.value_learning_rate),
        )

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Value, policy, critics, slow critics."""
        losses = self.value_step(agent, batch) | self.actor_step(agent, batch)
        losses |= self.critic_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        return losses

    def advantages(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lower slow critic at (s, a) less V(s), (B,)."""
        with parts.no_grad():
            slow = agent.parts.critic.slow(batch.states, batch.actions).amin(0)
        return slow - agent.parts.value(batch.states)

    def value_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of V towards an expectile of the lower slow critic."""
        loss = self.expectile_loss(self.advantages(agent, batch))
        return {"value_loss": loss, "value_grad_norm": agent.parts.value.descend(loss)}

    def expectile_loss(self, errors: Tensor) -> Tensor:
        """Squares of errors (B,), those above zero weighted by tau and the others by 1 - tau."""
        above = (errors > 0).to(errors.dtype)
        weights = self.expectile * above + (1.0 - self.expectile) * (1.0 - above)
        return (weights * errors.square()).mean()

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step on the weighted negative log-likelihood of the replay's actions."""
        advantages = self.advantages(agent, batch).detach()
        weights = (self.inverse_temperature * advantages).exp().clamp(max=self.largest_weight)
        policy = agent.parts.policy(batch.states)
        loss = -(weights * policy.log_prob(batch.actions)).mean()
        return {
            "actor_loss": loss,
            "actor_grad_norm": agent.parts.policy.descend(loss),
            "actor_std": policy.std.mean(),
            "advantage": advantages.mean(),
            "largest_weight": weights.max(),
        }

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """V itself; no action at s' is needed."""
        return agent.parts.value(batch.next_states)
