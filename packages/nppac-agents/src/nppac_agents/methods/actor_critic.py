"""Actor-critic methods: a policy against critics, and their order of updates.

    critics   minimise sum_j mean (Q_j(s, a) - y)^2,   y = r + gamma (1 - d) V(s')
    policy    the method's `actor_step`, on the critics just updated
    slow      Qbar <- Qbar + tau (Q - Qbar)

What V(s') is, the method says (`next_value`), and what else its critics minimise
(`critic_loss`). `RegularisedActorCritic` has the equations that SAC and N-PPAC share: with
kappa(s, a) the regulariser of the policy pi at s and alpha its temperature,

    V(s')         min_j Qbar_j(s', a') - alpha kappa(s', a'),   a' ~ pi(.|s'), or its mode
    policy        minimise mean [alpha kappa(s, a) - min_j Q_j(s, a)],   a ~ pi(.|s)
    temperature   minimise over log alpha: -log alpha mean [kappa - target], if it is learned

kappa = log pi(a|s) is soft actor-critic (Haarnoja et al. 2018), kappa = log pi(a|s) - log pi0(a|s)
is KL regularisation towards a behavioural prior pi0 (Rudner et al. 2021).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from nppac_agents import parts
from nppac_agents.data.discounting import Discounting
from nppac_agents.data.goal_shares import GoalShares
from nppac_agents.methods.base import LearningRate, Method, Width
from nppac_agents.phase import Losses, Phase, cloning

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Critics, Dual, Part, TrustRegion
    from nppac_agents.parts.distributions import ActionDistribution


class ActorCritic(Method):
    """Fields that all actor-critic methods share; each method sets the defaults of its source."""

    gamma: float = Field(default=0.99, ge=0, lt=1)
    """Discount factor per environment step."""
    tau: float = Field(default=0.005, gt=0, le=1)
    """Polyak rate of the target critics."""
    critic_learning_rate: LearningRate = 3e-4
    """Adam's rate for the critics."""
    critic_hidden: tuple[Width, ...] = (256, 256)
    """Hidden widths of each critic."""
    critic_layer_norm: bool = False
    """Normalise the critics' hidden layers: bounds their values away from the data."""
    timeouts_are_terminal: bool = False
    """Whether the critic target stops at the time limit."""
    n_steps: int = Field(default=1, ge=1, le=100)
    """Rewards that a critic target adds up before the value of the state that follows: credit
    arrives sooner, from actions of the policies that stored them."""
    future_goals: float = Field(default=0.0, ge=0, le=1)
    """Share of the transitions that are learned from as if they had been played for a goal which
    their episode reached later (hindsight; 0.8 in Andrychowicz et al. 2017, 0.3 in AWAC's code for
    pushing), of a task with goals."""
    other_goals: float = Field(default=0.0, ge=0, le=1)
    """Share of those that are learned from as if they had been played for the goal of another
    transition (AWAC's code for pushing draws one from the task for 0.5)."""

    @model_validator(mode="after")
    def _goals_can_be_exchanged(self) -> Self:
        if self.future_goals + self.other_goals > 1.0:
            raise ValueError(
                f"future_goals {self.future_goals} and other_goals {self.other_goals} are above 1 "
                "together; lower one of them"
            )
        if self.goal_shares() is not None and self.columns:
            raise ValueError(
                f"future_goals and other_goals have to be 0: it learns from {self.columns[0]}, "
                "which is known of the goals alone that were played for"
            )
        return self

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Critics, policy, slow critics."""
        losses = self.critic_step(agent, batch) | self.actor_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        return losses

    def critics_alone(self, agent: Agent, batch: Transitions) -> Losses:
        """Critics and slow critics, while the policy stays as it is."""
        losses = self.critic_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        return losses

    def critic_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of all critics towards the target y (B,)."""
        critic, target = agent.parts.critic, self.critic_target(agent, batch)
        values = critic(batch.states, batch.actions)
        loss = self.critic_loss(agent, batch, values, target)
        return {
            "critic_grad_norm": critic.descend(loss),
            "critic_loss": loss,
            "critic_value": values.mean() * critic.unit,
            "target_value": target.mean() * critic.unit,
        }

    def critic_target(self, agent: Agent, batch: Transitions) -> Tensor:
        """The target y (B,), without gradient."""
        with parts.no_grad():
            rewards = self.rewards(agent, batch)
            return rewards + batch.discounts * self.next_value(agent, batch)

    def rewards(self, agent: Agent, batch: Transitions) -> Tensor:
        """What the critics learn from (B,): as the environment gives them."""
        return batch.rewards

    def critic_loss(
        self, agent: Agent, batch: Transitions, values: Tensor, target: Tensor
    ) -> Tensor:
        """Squared errors of values (E, B), averaged over the batch and summed over critics."""
        return (values - target).square().mean(1).sum()

    @abstractmethod
    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """V(s') (B,), what is backed up; called without gradient."""

    @abstractmethod
    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the policy, and of the dual variables where there are any."""

    def discounting(self) -> Discounting:
        """Gamma, and whether timeouts end the value."""
        return Discounting(self.gamma, self.timeouts_are_terminal, self.n_steps)

    def goal_shares(self) -> GoalShares | None:
        """`future_goals` and `other_goals`."""
        shares = GoalShares(self.future_goals, self.other_goals)
        return shares if any(shares) else None

    def critics(
        self,
        agent: Agent,
        generator: torch.Generator,
        *,
        n_critics: int = 2,
        upper_bound: float | None = None,
    ) -> Critics:
        """The part of the critics."""
        ensemble = parts.CriticEnsemble(
            agent.spaces.state_dim,
            agent.spaces.action_dim,
            self.critic_hidden,
            n_critics=n_critics,
            layer_norm=self.critic_layer_norm,
            upper_bound=upper_bound,
            standardiser=self.standardiser(agent),
            generator=generator,
        )
        return parts.Critics(ensemble, self.critic_learning_rate)

    # Cloning, for methods whose policy starts so.

    def cloning(self, updates: int) -> list[Phase]:
        """A phase that fits the policy to the demonstrated actions; none for no updates."""
        return cloning(updates, self.clone, self.batch_size)

    def clone(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the policy on the negative log-likelihood of demonstrated actions."""
        loss = -agent.parts.policy(batch.states).log_prob(batch.actions).mean()
        return {"actor_loss": loss, "actor_grad_norm": agent.parts.policy.descend(loss)}


class RegularisedParts(NamedTuple):
    """What a regularised actor-critic learns with."""

    policy: Part
    critic: Critics
    temperature: Dual


class RegularisedActorCritic(ActorCritic):
    """Fields and equations of the regularised methods; `kappa` tells them apart."""

    squash: bool = True
    """Squash samples through tanh instead of leaving them unbounded and clipping them at the
    environment."""
    alpha: float = Field(default=1.0, gt=0, le=1e3)
    """Temperature: the weight of the regulariser, in reward; where it is learned, its first
    value."""
    temperature_learning_rate: LearningRate = 3e-4
    """Adam's rate for alpha, where it is learned."""
    relative_rewards: bool = False
    """Divide rewards by the largest absolute one that was seen, so that alpha and learning rates
    mean the same whatever unit rewards have."""
    n_critics: int = Field(default=2, ge=1, le=100)
    """Critics in the ensemble."""
    target_subset: int = Field(default=2, ge=1)
    """Critics, drawn for each update, whose minimum is backed up."""
    actor_value: Literal["lowest", "mean"] = "lowest"
    """What the policy ascends of the critics' values."""
    target_action: Literal["sample", "mode"] = "sample"
    """Whose value the critics learn: that of the policy's samples, or that of its mode, which is
    deployed."""
    mode_share: float = Field(default=0.0, ge=0, le=1)
    """Share of training episodes that the policy's mode plays, as it is deployed: it comes to
    states that its samples never see."""
    staggered_resets: bool = False
    """Cut the first episodes of the training environments at different times, so that rewards at
    the end of episodes do not come in waves."""

    @model_validator(mode="after")
    def _subset_fits_ensemble(self) -> Self:
        if self.target_subset > self.n_critics:
            raise ValueError(
                f"target_subset {self.target_subset} is above n_critics {self.n_critics}; "
                "draw at most all critics"
            )
        return self

    def parts(self, agent: Agent, generator: torch.Generator) -> RegularisedParts:
        """A Gaussian policy, two critics, the temperature."""
        return RegularisedParts(
            self.policy(agent, generator),
            self.critics(agent, generator, n_critics=self.n_critics),
            parts.Dual.scalar(self.alpha, self.temperature_learning_rate),
        )

    def policy(
        self,
        agent: Agent,
        generator: torch.Generator,
        start: Literal["fresh", "distilled", "residual"] = "fresh",
    ) -> Part:
        """The part of the policy; see `parts.policy_network` for its ways to start."""
        network = self.policy_network(
            agent,
            generator,
            squash=self.squash,
            start=start,
            trust=self.trust(agent),
        )
        return parts.Part(network, self.policy_learning_rate)

    def rewards(self, agent: Agent, batch: Transitions) -> Tensor:
        """As the environment gives them, or over the largest that was seen."""
        if not self.relative_rewards:
            return batch.rewards
        return agent.parts.critic.in_units(batch.rewards, self.discounting().full_weight)

    def staggers_resets(self) -> bool:
        """`staggered_resets`."""
        return self.staggered_resets

    def plays_mode(self, episode: int) -> bool:
        """`mode_share` of them, evenly spread."""
        return math.floor((episode + 1) * self.mode_share) > math.floor(episode * self.mode_share)

    def trust(self, agent: Agent) -> TrustRegion | None:
        """How far a residual policy may leave its prior; None: as far as it learns to."""
        return None

    @abstractmethod
    def kappa(
        self, policy: ActionDistribution, actions: Tensor, log_prob: Tensor, prior: Any
    ) -> Tensor:
        """The regulariser (B,) at actions (B, A) that `policy` drew with `log_prob` (B,)."""

    @abstractmethod
    def reported(self, kappa: Tensor, batch: Transitions) -> Losses:
        """What the metrics call kappa (B,)."""

    def target(self, action_dim: int) -> float | None:
        """Where a learned temperature holds the mean of kappa; None: it is fixed."""
        return None

    def excess(self, agent: Agent, kappa: Tensor) -> Tensor | None:
        """How far kappa (B,) is above its target, which a learned temperature answers."""
        target = self.target(agent.spaces.action_dim)
        return None if target is None else kappa - target

    def prior_at(self, agent: Agent, batch: Transitions) -> Any:
        """The prior's distribution at s, for methods with one."""
        return None

    def prior_after(self, agent: Agent, batch: Transitions) -> Any:
        """The prior's distribution at s'."""
        return None

    def next_value(self, agent: Agent, batch: Transitions) -> Tensor:
        """The lower slow critic, less the regulariser's price."""
        prior = self.prior_after(agent, batch)
        policy = agent.parts.policy(batch.next_states, prior)
        actions, log_prob = policy.sample(agent.noise)
        kappa = self.kappa(policy, actions, log_prob, prior)
        if self.target_action == "mode":
            actions = policy.mode()
        critic = agent.parts.critic
        value = critic.lowest(batch.next_states, actions, self.target_subset, agent.noise)
        return value - agent.parts.temperature.value() * kappa

    def actor_step(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the policy, and of the temperature where it is learned."""
        policy, kappa, value = self.judged(agent, batch)
        alpha = agent.parts.temperature.value()
        loss = self.actor_loss(agent, batch, alpha, kappa, value)
        norm = agent.parts.policy.descend(loss)
        excess = self.excess(agent, kappa)
        if excess is not None:
            agent.parts.temperature.ascend_log(excess)
        losses = {"actor_loss": loss, "actor_grad_norm": norm, "actor_std": policy.std.mean()}
        return losses | {"alpha": alpha} | self.reported(kappa, batch)

    def judged(self, agent: Agent, batch: Transitions) -> tuple[ActionDistribution, Tensor, Tensor]:
        """The policy at s; of an action that it draws, kappa (B,) and the critics' value (B,)."""
        prior = self.prior_at(agent, batch)
        policy = agent.parts.policy(batch.states, prior)
        actions, log_prob = policy.sample(agent.noise)
        values = agent.parts.critic.frozen(batch.states, actions)
        value = values.mean(0) if self.actor_value == "mean" else values.amin(0)
        return policy, self.kappa(policy, actions, log_prob, prior), value

    def actor_loss(
        self, agent: Agent, batch: Transitions, alpha: Tensor, kappa: Tensor, value: Tensor
    ) -> Tensor:
        """What the policy descends, from kappa and value (B,); a method may add terms."""
        return (alpha * kappa - value).mean()

    def pulls(self, agent: Agent, batch: Transitions) -> tuple[Tensor, Tensor]:
        """How hard alpha kappa and the value pull at the policy: norms of their gradients."""
        _, kappa, value = self.judged(agent, batch)
        divergence = agent.parts.temperature.value() * kappa.mean()
        policy = agent.parts.policy
        return policy.gradient_norm(divergence), policy.gradient_norm(value.mean())
