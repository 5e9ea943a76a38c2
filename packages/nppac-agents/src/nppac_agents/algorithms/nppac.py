"""N-PPAC: non-parametric prior actor-critic (Rudner et al. 2021, section 4 and appendix A).

With kappa(s, a) the divergence of the policy pi from the behavioural prior pi0 at s, and alpha its
temperature:

    critic target   y = r + gamma (1 - d) [min_j Qbar_j(s', a') - alpha kappa(s', a')],   a' ~
    pi(.|s') critic loss     sum_j mean (Q_j(s, a) - y)^2 actor loss      mean [alpha kappa(s, a) -
    min_j Q_j(s, a)],   a ~ pi(.|s), reparameterised

The gradient of the actor loss passes through log pi0(a), never into the prior. The actor is updated
against the critics of the same update.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from nppac_priors import GaussianPrior
from torch import Tensor

from nppac_agents.acting import ActingPolicy
from nppac_agents.agent import Agent, Losses, Phase
from nppac_agents.algorithms.nppac_config import NPPACConfig
from nppac_agents.config import Spaces
from nppac_agents.experience.observed_prior import ObservedPrior
from nppac_agents.experience.transitions import Transitions
from nppac_agents.learning.distributions import ActionDistribution, DiagonalGaussian
from nppac_agents.learning.divergences import analytic_kl, sampled_kl
from nppac_agents.learning.networks import CriticEnsemble, Standardiser, polyak_update
from nppac_agents.learning.policy_network import PolicyNetwork
from nppac_agents.learning.temperature import Temperature
from nppac_agents.learning.tensors import as_tensor, spawn_generator


class NPPAC(Agent):
    """The agent; build it through ``NPPACConfig.build``."""

    def __init__(
        self,
        config: NPPACConfig,
        spaces: Spaces,
        prior: GaussianPrior,
        demonstration_states: np.ndarray | None,
        *,
        device: str | torch.device,
        generator: torch.Generator,
    ) -> None:
        policy = _policy(config, spaces, prior, demonstration_states, device, generator)
        super().__init__(policy)
        self.config = config
        self.batch_size = config.batch_size
        self.demonstration_states = demonstration_states
        self.critic = CriticEnsemble(
            policy.state_dim,
            policy.action_dim,
            config.critic_hidden,
            n_critics=2,
            layer_norm=config.critic_layer_norm,
            standardiser=policy.network.standardiser,
            generator=generator,
        ).to(device)
        self.target_critic = copy.deepcopy(self.critic).requires_grad_(False)
        self.temperature = Temperature(config.alpha, config.target_kl).to(device)
        self.noise = self.generators["noise"] = spawn_generator(generator, device)
        self._add_optimizer("policy", policy.network, config.policy_learning_rate)
        self._add_optimizer("critic", self.critic, config.critic_learning_rate)
        if config.target_kl is not None:
            rate = config.temperature_learning_rate
            self._add_optimizer("temperature", self.temperature, rate)

    def step(self, batch: Transitions) -> Losses:
        """One update of critics, policy, temperature and target critics."""
        alpha = self.temperature.value()
        losses = self._critic_step(batch, alpha)
        if self.updates >= self.config.critic_warmup_updates:
            losses |= self._actor_step(batch, alpha)
        polyak_update(self.target_critic, self.critic, self.config.tau)
        self.updates += 1
        return losses

    def critic_target(self, batch: Transitions, alpha: Tensor) -> Tensor:
        """Y of shape (B,), without gradient."""
        with torch.no_grad():
            moments = batch.next_prior_mean, self.policy.scale(batch.next_prior_std)
            policy = self.policy.network(batch.next_states, *moments)
            actions, divergence = self._draw(policy, *moments)
            value = self.target_critic(batch.next_states, actions).amin(0) - alpha * divergence
            ended = batch.terminated
            if self.config.timeouts_are_terminal:
                ended = torch.maximum(ended, batch.truncated)
            return batch.rewards + self.config.gamma * (1.0 - ended) * value

    def actor_objective(self, batch: Transitions, alpha: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The actor loss, and the divergence and the policy's standard deviation behind it."""
        moments = batch.prior_mean, self.policy.scale(batch.prior_std)
        policy = self.policy.network(batch.states, *moments)
        actions, divergence = self._draw(policy, *moments)
        value = self.critic(batch.states, actions).amin(0)
        return (alpha * divergence - value).mean(), divergence, policy.std

    def _critic_step(self, batch: Transitions, alpha: Tensor) -> Losses:
        target = self.critic_target(batch, alpha)
        values = self.critic(batch.states, batch.actions)
        loss = (values - target).square().mean(1).sum()
        norm = self._minimise("critic", loss)
        return {
            "critic_loss": loss.detach(),
            "critic_value": values.detach().mean(),
            "target_value": target.mean(),
            "critic_grad_norm": norm,
        }

    def _actor_step(self, batch: Transitions, alpha: Tensor) -> Losses:
        loss, divergence, std = self.actor_objective(batch, alpha)
        norm = self._minimise("policy", loss)
        if self.config.target_kl is not None:
            self._minimise("temperature", self.temperature.loss(divergence))
        return {
            "actor_loss": loss.detach(),
            "actor_grad_norm": norm,
            "kl": divergence.detach().mean(),
            "alpha": alpha,
            "actor_std": std.detach().mean(),
            "prior_std": batch.prior_std.mean(),
        }

    def _draw(
        self, policy: ActionDistribution, prior_mean: Tensor, prior_scale: Tensor
    ) -> tuple[Tensor, Tensor]:
        """An action (B, A) and the divergence from the prior (B,), by the configured estimator."""
        actions, log_prob = policy.sample(self.noise)
        if self.config.kl_estimator == "analytic":
            assert isinstance(policy, DiagonalGaussian)
            return actions, analytic_kl(policy, prior_mean, prior_scale)
        return actions, sampled_kl(actions, log_prob, prior_mean, prior_scale)

    # The distilled start.

    def phases(self) -> list[Phase]:
        """Distillation on the demonstration states first, where the policy starts so."""
        online = super().phases()
        if self.config.start != "distilled":
            return online
        assert self.demonstration_states is not None
        size = self.config.pretraining_batch_size
        batches = math.ceil(len(self.demonstration_states) / size)
        updates = self.config.pretraining_epochs * batches
        minibatches = self._distillation_minibatches(size)
        return [Phase("pretrain", updates, lambda: self._distil(*next(minibatches))), *online]

    def _distillation_minibatches(self, size: int):
        """Endless shuffled passes over the demonstration states with the prior's moments."""
        assert self.policy.observed is not None
        assert self.demonstration_states is not None
        states = as_tensor(self.demonstration_states, self.policy.device)
        mean, std = self.policy.observed.prior.moments(states)
        scale = self.policy.scale(std)
        while True:
            order = torch.randperm(len(states), generator=self.noise, device=states.device)
            for rows in order.split(size):
                yield states[rows], mean[rows], scale[rows]

    def _distil(self, states: Tensor, prior_mean: Tensor, prior_scale: Tensor) -> Losses:
        """One step on E[KL(pi || pi0)] with the policy's own optimizer (paper, appendix I)."""
        policy = self.policy.network(states, prior_mean, prior_scale)
        _, divergence = self._draw(policy, prior_mean, prior_scale)
        norm = self._minimise("policy", divergence.mean())
        return {"kl": divergence.detach().mean(), "actor_grad_norm": norm}


def _policy(
    config: NPPACConfig,
    spaces: Spaces,
    prior: GaussianPrior,
    demonstration_states: np.ndarray | None,
    device: str | torch.device,
    generator: torch.Generator,
) -> ActingPolicy:
    state_dim, action_dim = (int(np.prod(space.shape)) for space in spaces)
    states = None
    if config.standardise_states:
        assert demonstration_states is not None
        states = as_tensor(demonstration_states, "cpu")
    network = PolicyNetwork(
        state_dim,
        action_dim,
        config.policy_hidden,
        start=config.start,
        squash=config.squash,
        standardiser=Standardiser(state_dim, states),
        generator=generator,
    )
    return ActingPolicy(
        network.to(device),
        spaces,
        observed=ObservedPrior(prior),
        prior_scale=config.prior_scale,
        device=device,
        generator=spawn_generator(generator, device),
    )
