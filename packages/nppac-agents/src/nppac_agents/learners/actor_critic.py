"""The actor-critic agent: owns networks and optimizers, and asks its method for the equations."""

from __future__ import annotations

import copy

import torch
from nppac_envs import Demonstrations
from nppac_priors import GaussianPrior, Prior
from tianshou.algorithm.algorithm_base import OffPolicyAlgorithm
from torch import Tensor

from nppac_agents.acting import ActingPolicy
from nppac_agents.agent import Agent
from nppac_agents.algorithms.actor_critic import ActorCriticConfig, Setup
from nppac_agents.config import Spaces
from nppac_agents.experience.demonstrated import demonstrated_transitions, draw_from
from nppac_agents.experience.observed_prior import ObservedPrior
from nppac_agents.experience.transitions import Moments, Transitions
from nppac_agents.learning.networks import CriticEnsemble, Standardiser, polyak_update
from nppac_agents.learning.temperature import Temperature
from nppac_agents.learning.tensors import as_tensor, spawn_generator
from nppac_agents.phase import Losses, Phase


class ActorCritic(Agent, OffPolicyAlgorithm):
    """Critics, their targets, a policy and a temperature; build it through a method's config.

    Attributes:
        method: the equations and hyper-parameters.
        critic: Q_j(s, a), learned. target_critic: their Polyak averages.
        noise: the generator of sampled actions in the losses.
    """

    def __init__(
        self,
        method: ActorCriticConfig,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device,
        generator: torch.Generator,
    ) -> None:
        setup = method.setup(spaces.action_dim)
        policy = _policy(method, setup, spaces, prior, demonstrations, device, generator)
        transitions = None
        if method.demonstrations_in_replay and demonstrations is not None:
            transitions = demonstrated_transitions(demonstrations, policy.observed, device)
        super().__init__(
            policy, demonstrations=transitions, demonstration_share=setup.demonstration_share
        )
        self.method = method
        self.batch_size = method.batch_size
        self.demonstrated_states = None if demonstrations is None else demonstrations.states
        self.critic = _critics(method, setup, policy, generator).to(device)
        self.target_critic = copy.deepcopy(self.critic).requires_grad_(False)
        self.temperature = Temperature(setup.alpha, setup.dual_target).to(device)
        self.noise = self.generators["noise"] = spawn_generator(generator, device)
        decay = setup.policy_weight_decay
        self._add_optimizer("policy", policy.network, method.policy_learning_rate, decay)
        self._add_optimizer("critic", self.critic, method.critic_learning_rate)
        if setup.dual_target is not None:
            self._add_optimizer("temperature", self.temperature, setup.temperature_learning_rate)

    def phases(self) -> list[Phase]:
        """The method's phases."""
        return self.method.phases(self)

    def step(self, batch: Transitions) -> Losses:
        """One update of critics, policy, temperature and target critics."""
        losses = self.critic_step(batch)
        if self.method.actor_is_due(self.updates):
            losses |= self.actor_step(batch)
        polyak_update(self.target_critic, self.critic, self.method.tau)
        self.updates += 1
        return losses

    def critic_step(self, batch: Transitions) -> Losses:
        """One step on the squared errors, summed over critics and averaged over the batch."""
        with torch.no_grad():
            target = self.method.critic_target(self, batch)
        values = self.critic(batch.states, batch.actions)
        loss = (values - target).square().mean(1).sum()
        norm = self.minimise("critic", loss)
        return {
            "critic_loss": loss.detach(),
            "critic_value": values.detach().mean(),
            "target_value": target.mean(),
            "critic_grad_norm": norm,
        }

    def actor_step(self, batch: Transitions) -> Losses:
        """One step of the policy, and of the temperature where it is learned."""
        loss, reported, constrained = self.method.actor_loss(self, batch)
        norm = self.minimise("policy", loss)
        reported = {name: value.detach() for name, value in reported.items()}
        if self.temperature.target is not None:
            assert constrained is not None
            self.minimise("temperature", self.temperature.loss(constrained))
        return {"actor_loss": loss.detach(), "actor_grad_norm": norm, **reported}

    def clone(self) -> Losses:
        """One update of the policy on the likelihood of demonstrated actions, for `pretrain`."""
        loss = self.cloning_loss()
        norm = self.minimise("policy", loss)
        return {"actor_loss": loss.detach(), "actor_grad_norm": norm}

    # What the equations are made of.

    @property
    def policy_network(self) -> torch.nn.Module:
        """pi: called with states and the prior's moments there, it gives a distribution."""
        return self.policy.network

    @property
    def alpha(self) -> Tensor:
        """The temperature, a detached scalar."""
        return self.temperature.value()

    def value(self, states: Tensor, actions: Tensor) -> Tensor:
        """The lowest critic's value (B,), without gradient."""
        with torch.no_grad():
            return self.critic(states, actions).amin(0)

    def cloning_loss(self) -> Tensor:
        """- mean log pi(a|s), with gradient, over a fresh minibatch of demonstrations."""
        assert self.demonstrations is not None
        batch = draw_from(self.demonstrations, self.batch_size, self.noise)
        policy = self.policy_network(batch.states, *self.prior_at(batch))
        return -policy.log_prob(batch.actions).mean()

    def random_critics(self, size: int) -> Tensor:
        """Indices (size,) of distinct members of the ensemble, drawn anew."""
        n_critics = len(self.critic.biases[0])
        order = torch.randperm(n_critics, generator=self.noise, device=self.policy.device)
        return order[:size]

    def prior_at(self, batch: Transitions) -> Moments:
        """The prior's normal at s."""
        return Moments(batch.prior_mean, self.policy.scale(batch.prior_std))

    def prior_after(self, batch: Transitions) -> Moments:
        """The prior's normal at s'."""
        return Moments(batch.next_prior_mean, self.policy.scale(batch.next_prior_std))

    def backup(self, batch: Transitions, next_values: Tensor) -> Tensor:
        """r + gamma (1 - d) ``next_values`` (B,), where d says which ends stop the value."""
        ended = batch.terminated
        if self.method.timeouts_are_terminal:
            ended = torch.maximum(ended, batch.truncated)
        return batch.rewards + self.method.gamma * (1.0 - ended) * next_values


def _policy(
    method: ActorCriticConfig,
    setup: Setup,
    spaces: Spaces,
    prior: Prior | None,
    demonstrations: Demonstrations | None,
    device: str | torch.device,
    generator: torch.Generator,
) -> ActingPolicy:
    states = None
    if method.standardise_states and demonstrations is not None:
        states = as_tensor(demonstrations.states, "cpu")
    standardiser = Standardiser(spaces.state_dim, states)
    network = method.make_policy(spaces, standardiser, generator).to(device)
    return ActingPolicy(
        network,
        spaces,
        observed=ObservedPrior(prior) if isinstance(prior, GaussianPrior) else None,
        prior_scale=setup.prior_scale,
        device=device,
        generator=spawn_generator(generator, device),
    )


def _critics(
    method: ActorCriticConfig, setup: Setup, policy: ActingPolicy, generator: torch.Generator
) -> CriticEnsemble:
    return CriticEnsemble(
        policy.state_dim,
        policy.action_dim,
        method.critic_hidden,
        n_critics=setup.n_critics,
        layer_norm=method.critic_layer_norm,
        upper_bound=setup.critic_upper_bound,
        standardiser=policy.network.standardiser,
        generator=generator,
    )
