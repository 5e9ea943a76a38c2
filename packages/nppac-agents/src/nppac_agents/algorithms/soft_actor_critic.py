"""Actor-critic with a regularised reward: the equations that SAC and N-PPAC share.

With kappa(s, a) the regulariser of the policy pi at s and alpha its temperature:

    critic target   y = r + gamma (1 - d) [min_j Qbar_j(s', a') - alpha kappa(s', a')],
                    a' ~ pi(.|s')
    actor loss      mean [alpha kappa(s, a) - min_j Q_j(s, a)],
                    a ~ pi(.|s), reparameterised
    temperature     minimise over log alpha: -log alpha mean [kappa - target], if it is learned

kappa = log pi(a|s) is soft actor-critic (Haarnoja et al. 2018), kappa = log pi(a|s) - log pi0(a|s)
is KL regularisation towards a behavioural prior pi0 (Rudner et al. 2021).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nppac_agents.algorithms.actor_critic import ActorCriticConfig, ActorLoss, LearningRate

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.config import Spaces
    from nppac_agents.experience.transitions import Moments, Transitions
    from nppac_agents.learners.actor_critic import ActorCritic
    from nppac_agents.learning.distributions import ActionDistribution
    from nppac_agents.learning.networks import Standardiser
    from nppac_agents.learning.policy_network import PolicyNetwork


class SoftActorCriticConfig(ActorCriticConfig):
    """Fields and equations of the regularised methods; ``regulariser`` tells them apart."""

    squash: bool = Field(
        default=True,
        description="Squash samples through tanh instead of leaving them unbounded and clipping "
        "them at the environment.",
    )
    alpha: float = Field(
        default=1.0,
        gt=0,
        le=1e3,
        description="Temperature: the weight of the regulariser, in reward; where it is learned, "
        "its first value.",
    )
    temperature_learning_rate: LearningRate = Field(
        default=3e-4, description="Adam's rate for alpha, where it is learned."
    )

    @abstractmethod
    def regulariser(
        self, policy: ActionDistribution, actions: Tensor, log_prob: Tensor, prior: Moments
    ) -> Tensor:
        """kappa (B,) at actions (B, A) that were drawn from ``policy`` with ``log_prob`` (B,)."""

    @abstractmethod
    def reported(self, kappa: Tensor, batch: Transitions) -> dict[str, Tensor]:
        """What the metrics call kappa (B,)."""

    def critic_target(self, agent: ActorCritic, batch: Transitions) -> Tensor:
        """y (B,)."""
        prior = agent.prior_after(batch)
        policy = agent.policy_network(batch.next_states, *prior)
        actions, log_prob = policy.sample(agent.noise)
        kappa = self.regulariser(policy, actions, log_prob, prior)
        value = self.target_value(agent, batch.next_states, actions)
        return agent.backup(batch, value - agent.alpha * kappa)

    def actor_loss(self, agent: ActorCritic, batch: Transitions) -> ActorLoss:
        """The actor loss; the temperature's constraint is on kappa."""
        prior = agent.prior_at(batch)
        policy = agent.policy_network(batch.states, *prior)
        actions, log_prob = policy.sample(agent.noise)
        kappa = self.regulariser(policy, actions, log_prob, prior)
        value = self.actor_value(agent, batch.states, actions)
        loss = (agent.alpha * kappa - value).mean()
        reported = {"alpha": agent.alpha, "actor_std": policy.std.mean()}
        return ActorLoss(loss, reported | self.reported(kappa, batch), constrained=kappa)

    def target_value(self, agent: ActorCritic, states: Tensor, actions: Tensor) -> Tensor:
        """The target critics' value (B,) in the critic target: the lower of the two."""
        return agent.target_critic(states, actions).amin(0)

    def actor_value(self, agent: ActorCritic, states: Tensor, actions: Tensor) -> Tensor:
        """The critics' value (B,) that the actor ascends: the lower of the two."""
        return agent.critic(states, actions).amin(0)

    def make_policy(
        self, spaces: Spaces, standardiser: Standardiser, generator: torch.Generator
    ) -> PolicyNetwork:
        """A network from states to a Gaussian, squashed or not."""
        from nppac_agents.learning.policy_network import PolicyNetwork

        return PolicyNetwork(
            spaces.state_dim,
            spaces.action_dim,
            self.policy_hidden,
            start=self.policy_start(),
            squash=self.squash,
            standardiser=standardiser,
            generator=generator,
        )

    def policy_start(self) -> Literal["fresh", "distilled", "residual"]:
        """How the policy starts; see ``policy_network``."""
        return "fresh"
