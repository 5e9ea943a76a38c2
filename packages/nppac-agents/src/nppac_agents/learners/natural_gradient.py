"""The on-policy agent: natural gradient steps on what the current policy has just done."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from nppac_envs import Demonstrations
from nppac_priors.errors import ConfigError
from tianshou.algorithm.algorithm_base import OnPolicyAlgorithm, TrainingStats
from torch import Tensor

from nppac_agents.acting import ActingPolicy
from nppac_agents.agent import Agent, UpdateStats
from nppac_agents.algorithms.dapg import DAPGConfig
from nppac_agents.config import Spaces
from nppac_agents.experience.replay import TensorReplay
from nppac_agents.experience.transitions import Transitions
from nppac_agents.learning.advantages import generalised_advantages, steps_since_start
from nppac_agents.learning.conjugate_gradients import conjugate_gradients
from nppac_agents.learning.divergences import analytic_kl
from nppac_agents.learning.fisher import FisherProduct, flat_gradient, move
from nppac_agents.learning.standardised_policy import StandardisedPolicy
from nppac_agents.learning.tensors import as_tensor, spawn_generator
from nppac_agents.learning.value_baseline import ValueBaseline
from nppac_agents.phase import ONLINE, Losses, Phase


class NaturalGradient(Agent, OnPolicyAlgorithm):
    """A policy, a value baseline and the demonstrations; the replay holds one update's steps.

    Attributes:
        method: the equations and hyper-parameters.
        network: pi. baseline: V(s, t).
        noise: the generator of minibatches, of cloning and of the baseline.
    """

    def __init__(
        self,
        method: DAPGConfig,
        spaces: Spaces,
        demonstrations: Demonstrations,
        *,
        device: str | torch.device,
        generator: torch.Generator,
    ) -> None:
        states = as_tensor(demonstrations.states, "cpu")
        actions = as_tensor(demonstrations.actions, "cpu")
        network = StandardisedPolicy(
            states,
            actions,
            method.policy_hidden,
            lowest_log_std=method.lowest_log_std,
            generator=generator,
        ).to(device)
        policy = ActingPolicy(
            network,
            spaces,
            observed=None,
            prior_scale="std",
            device=device,
            generator=spawn_generator(generator, device),
        )
        super().__init__(policy)
        self.method = method
        self.batch_size = method.batch_size
        self.fresh_steps = method.steps_per_update
        self.demonstrated = states.to(device), actions.to(device)
        self.baseline = ValueBaseline(
            spaces.state_dim, method.critic_hidden, generator=generator
        ).to(device)
        self.noise = self.generators["noise"] = spawn_generator(generator, device)
        self._add_optimizer("cloning", network.body, method.cloning_learning_rate)
        self._add_optimizer(
            "critic", self.baseline, method.critic_learning_rate, method.critic_weight_decay
        )

    @property
    def network(self) -> StandardisedPolicy:
        """pi: called with states it gives a distribution."""
        network = self.policy.network
        assert isinstance(network, StandardisedPolicy)
        return network

    def phases(self) -> list[Phase]:
        """Cloning, then interaction."""
        batches = math.ceil(len(self.demonstrated[0]) / self.method.cloning_batch_size)
        updates = self.method.cloning_epochs * batches
        cloning = Phase("pretrain", updates=updates, step=self.clone)
        return [cloning, ONLINE] if updates else [ONLINE]

    def clone(self) -> Losses:
        """One update of the mean on squared errors of demonstrated actions."""
        states, actions = self.demonstrated
        rows = self._draw(len(states), self.method.cloning_batch_size)
        loss = (self.network.mode(states[rows], None) - actions[rows]).square().mean()
        norm = self.minimise("cloning", loss)
        return {"actor_loss": loss.detach(), "actor_grad_norm": norm}

    def step(self, batch: Transitions) -> Losses:
        """One step of the policy, then the baseline's passes.

        Args:
            batch: transitions in time order, episode after episode, as ``TensorReplay.in_order``
                gives them.
        """
        ends = torch.maximum(batch.terminated, batch.truncated)
        times = steps_since_start(ends)
        with torch.no_grad():
            values = self.baseline(batch.states, times)
            following = self.baseline(batch.next_states, times + 1.0)
        sums = {"terminated": batch.terminated, "ends": ends, "gamma": self.method.gamma}
        advantages, excess = (
            generalised_advantages(batch.rewards, values, following, **sums, trace_decay=decay)
            for decay in (self.method.trace_decay, 1.0)
        )
        losses = self.policy_step(batch, self.method.standardise(advantages))
        losses |= self.baseline_step(batch.states, times, values + excess)
        self.updates += 1
        return losses | {"critic_value": values.mean(), "target_value": (values + excess).mean()}

    def policy_step(self, batch: Transitions, advantages: Tensor) -> Losses:
        """The natural gradient step, for standardised advantages (B,)."""
        network, method = self.network, self.method
        parameters = list(network.parameters())
        old = network(batch.states, None, None)
        surrogate = self.surrogate(batch, advantages)
        gradient = flat_gradient(surrogate, parameters)
        fisher = FisherProduct(old, parameters, method.damping)
        direction = conjugate_gradients(
            fisher, gradient, iterations=method.conjugate_gradient_iterations
        )
        move(parameters, method.step_length(gradient, direction) * direction)
        with torch.no_grad():
            network.log_std.clamp_(min=method.lowest_log_std)
            new = network(batch.states, None, None)
            divergence = analytic_kl(new, old.mean, old.std).mean()
        return {
            "actor_loss": -surrogate.detach(),
            "actor_grad_norm": gradient.norm(),
            "actor_std": new.std.mean(),
            "step_kl": divergence,
            "demonstration_weight": surrogate.new_tensor(method.weight(self.updates)),
        }

    def surrogate(self, batch: Transitions, advantages: Tensor) -> Tensor:
        """The method's surrogate at the current policy."""
        states, actions = self.demonstrated
        return self.method.surrogate(
            self.network(batch.states, None, None).log_prob(batch.actions),
            advantages,
            self.network(states, None, None).log_prob(actions),
            self.updates,
        )

    def baseline_step(self, states: Tensor, times: Tensor, returns: Tensor) -> Losses:
        """Passes over states (B, S) at ``times`` (B,) on the squared errors to returns (B,)."""
        losses, norms = [], []
        for _ in range(self.method.critic_epochs):
            order = torch.randperm(len(states), generator=self.noise, device=states.device)
            for rows in order.split(self.batch_size):
                loss = (self.baseline(states[rows], times[rows]) - returns[rows]).square().mean()
                norms.append(self.minimise("critic", loss))
                losses.append(loss.detach())
        return {
            "critic_loss": torch.stack(losses).mean(),
            "critic_grad_norm": torch.stack(norms).mean(),
        }

    def _draw(self, population: int, size: int) -> Tensor:
        device = self.policy.device
        return torch.randint(population, (size,), generator=self.noise, device=device)

    # The replay: filled by one policy, handed out once.

    def make_replay(self, capacity: int, n_envs: int, generator: torch.Generator) -> TensorReplay:
        """See ``Agent.make_replay``.

        Raises:
            ConfigError: it has no room for the steps of one update.
        """
        needed = math.ceil(self.method.steps_per_update / n_envs) * n_envs
        if capacity < needed:
            raise ConfigError(
                f"training: replay_capacity {capacity} is below the {needed} steps that one update "
                f"of agent {self.method.kind!r} takes from {n_envs} environments; raise it or "
                "lower agent.steps_per_update"
            )
        return super().make_replay(capacity, n_envs, generator)

    def minibatch(self, replay: TensorReplay) -> Transitions:
        """Everything in the replay, which then forgets it."""
        batch = replay.in_order()
        replay.reset(keep_statistics=True)
        return batch

    # Tianshou's side.

    def _preprocess_batch(self, batch: Any, buffer: Any, indices: np.ndarray) -> Any:
        """The buffer's transitions in time order, in place of Tianshou's batch of them."""
        return buffer.in_order()

    def _update_with_batch(
        self, batch: Any, batch_size: int | None = None, repeat: int = 1
    ) -> TrainingStats:
        """One step on the whole batch; ``batch_size`` and ``repeat`` would not leave it one."""
        return UpdateStats(self.step(batch))
