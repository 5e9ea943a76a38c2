"""What every agent is: a Tianshou algorithm whose update is one function on tensors.

``step(batch)`` is the update. ``nppac-run`` calls it directly; Tianshou's trainers reach it through
``_update_with_batch``, which only converts containers. ``phases()`` lists the stretches of learning
and ``state()`` / ``load_state()`` hold everything that the agent learns with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from tianshou.algorithm.algorithm_base import Algorithm, TrainingStats
from torch import Tensor, nn

from nppac_agents.acting import ActingPolicy
from nppac_agents.experience.replay import TensorReplay
from nppac_agents.experience.transitions import Transitions
from nppac_agents.learning.tensors import below, spawn_generator
from nppac_agents.phase import Losses, Phase


class Agent(Algorithm, ABC):
    """Base of all agents: optimizers, the Tianshou adapter, and complete state.

    A concrete agent derives from one of Tianshou's three families too (``OffPolicyAlgorithm``,
    ``OfflineAlgorithm``, ``OnPolicyAlgorithm``), whose trainer then runs it.

    Args:
        policy: acts, in training and in evaluation.
        demonstrations: transitions that are part of the replay; none by default.
        demonstration_share: their share of every minibatch; None draws from the pool of all.
    """

    policy: ActingPolicy
    batch_size: int
    fresh_steps: int | None = None
    """On-policy agents: the environment steps that one update consumes; None: learns from replay"""

    def __init__(
        self,
        policy: ActingPolicy,
        *,
        demonstrations: Transitions | None = None,
        demonstration_share: float | None = None,
    ) -> None:
        super().__init__(policy=policy)
        self.demonstrations = demonstrations
        self.demonstration_share = demonstration_share
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self.generators: dict[str, torch.Generator] = {"acting": policy.generator}
        self.updates = 0

    @abstractmethod
    def step(self, batch: Transitions) -> Losses:
        """One update on a minibatch."""

    @abstractmethod
    def phases(self) -> list[Phase]:
        """The phases in order."""

    def pretrain(self) -> None:
        """Runs the phases that make the starting policy; plain Tianshou scripts call it first."""
        for phase in self.phases():
            if phase.name == "pretrain":
                assert phase.step is not None
                for _ in range(phase.updates or 0):
                    phase.step()

    def make_replay(self, capacity: int, n_envs: int, generator: torch.Generator) -> TensorReplay:
        """The replay that this agent learns from, on its device, with its prior and demonstrations.

        Args:
            capacity: transitions of interaction that it keeps.
            n_envs: environments that fill it.
            generator: a CPU generator, from which that of the minibatches derives.
        """
        device = self.policy.device
        return TensorReplay(
            capacity,
            n_envs,
            self.policy.state_dim,
            self.policy.action_dim,
            observed=self.policy.observed,
            demonstrations=self.demonstrations,
            demonstration_share=self.demonstration_share,
            device=device,
            generator=spawn_generator(generator, device),
        )

    def minibatch(self, replay: TensorReplay) -> Transitions:
        """What one update learns from."""
        return replay.sample_transitions(self.batch_size)

    # Optimizers.

    def _add_optimizer(
        self, name: str, module: nn.Module, learning_rate: float, weight_decay: float = 0.0
    ) -> None:
        optimizer = torch.optim.Adam(
            module.parameters(), lr=learning_rate, weight_decay=weight_decay, fused=True
        )
        self.optimizers[name] = optimizer
        self._optimizers.append(Algorithm.Optimizer(optimizer, module))

    def minimise(self, name: str, loss: Tensor) -> Tensor:
        """One optimizer step on ``loss``; returns the norm of its gradient."""
        optimizer = self.optimizers[name]
        parameters = optimizer.param_groups[0]["params"]
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        norms = torch._foreach_norm(gradients)  # pyright: ignore[reportPrivateImportUsage]
        return torch.linalg.vector_norm(torch.stack(norms))

    # Tianshou's side.

    def _update_with_batch(self, batch: Any) -> TrainingStats:
        return UpdateStats(self.step(transitions_of(batch)))

    # Checkpoints.

    def state(self) -> dict[str, Tensor]:
        """Everything the agent learns with, as flat named tensors."""
        state = {f"network.{k}": v for k, v in nn.Module.state_dict(self).items()}
        for name, optimizer in self.optimizers.items():
            for index, slots in optimizer.state_dict()["state"].items():
                state |= {f"optimizer.{name}.{index}.{k}": v for k, v in slots.items()}
        for name, generator in self.generators.items():
            state[f"generator.{name}"] = generator.get_state()
        return state | {"updates": torch.tensor(self.updates)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restores what ``state()`` returned into an agent built from the same configuration."""
        networks = below(state, "network.")
        nn.Module.load_state_dict(self, networks)
        for name, optimizer in self.optimizers.items():
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in below(state, f"optimizer.{name}.").items():
                index, slot = key.split(".")
                slots.setdefault(int(index), {})[slot] = value.clone()
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": slots, "param_groups": groups})
        for name, generator in self.generators.items():
            generator.set_state(state[f"generator.{name}"])
        self.updates = int(state["updates"])


def transitions_of(batch: Any) -> Transitions:
    """A Tianshou batch of a ``TensorReplay`` as transitions."""
    prior = batch.policy
    return Transitions(
        batch.obs,
        batch.act,
        batch.rew,
        batch.terminated.float(),
        batch.truncated.float(),
        batch.obs_next,
        prior.prior_mean,
        prior.prior_std,
        prior.next_prior_mean,
        prior.next_prior_std,
    )


class UpdateStats(TrainingStats):
    """One update's losses for Tianshou's loggers."""

    def __init__(self, losses: Losses) -> None:
        super().__init__()
        self.losses = {name: value.item() for name, value in losses.items()}

    def get_loss_stats_dict(self) -> dict[str, float]:
        """The losses by name."""
        return self.losses
