"""What every agent is: a Tianshou off-policy algorithm whose update is one function on tensors.

``step(batch)`` is the update. ``nppac-run`` calls it directly; Tianshou's trainers reach it through
``_update_with_batch``, which only converts containers. ``phases()`` lists what comes before and
during interaction, and ``state()`` / ``load_state()`` hold everything that the agent learns with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from tianshou.algorithm.algorithm_base import Algorithm, OffPolicyAlgorithm, TrainingStats
from torch import Tensor, nn

from nppac_agents.acting import ActingPolicy
from nppac_agents.experience.replay import TensorReplay
from nppac_agents.experience.transitions import Transitions
from nppac_agents.learning.tensors import below, spawn_generator

Losses = dict[str, Tensor]
"""What one update reports: detached scalars that stay on the device until somebody reads them."""


@dataclass(frozen=True)
class Phase:
    """A stretch of learning: ``updates`` calls of ``step``, or as many as interaction gives."""

    name: Literal["pretrain", "offline", "online"]
    updates: int | None
    """The number of updates; None for the online phase, whose length the training section sets."""
    step: Callable[[], Losses] | None = None
    """One update that needs no fresh data; None for the online phase, which samples the replay."""


class Agent(OffPolicyAlgorithm, ABC):
    """Base of all agents: optimizers, the Tianshou adapter, and complete state."""

    policy: ActingPolicy
    batch_size: int

    def __init__(self, policy: ActingPolicy) -> None:
        super().__init__(policy=policy)
        self.optimizers: dict[str, torch.optim.Adam] = {}
        self.generators: dict[str, torch.Generator] = {"acting": policy.generator}
        self.updates = 0

    @abstractmethod
    def step(self, batch: Transitions) -> Losses:
        """One update on a minibatch."""

    def phases(self) -> list[Phase]:
        """The phases in order; the online phase comes last."""
        return [Phase("online", None)]

    def pretrain(self) -> None:
        """Runs every phase before the online one; what a plain Tianshou script calls first."""
        for phase in self.phases():
            for _ in range(phase.updates or 0):
                assert phase.step is not None
                phase.step()

    def make_replay(self, capacity: int, n_envs: int, generator: torch.Generator) -> TensorReplay:
        """The replay buffer that this agent learns from, on its device and with its prior."""
        device = self.policy.device
        return TensorReplay(
            capacity,
            n_envs,
            self.policy.state_dim,
            self.policy.action_dim,
            observed=self.policy.observed,
            device=device,
            generator=spawn_generator(generator, device),
        )

    # Optimizers.

    def _add_optimizer(self, name: str, module: nn.Module, learning_rate: float) -> None:
        optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate, fused=True)
        self.optimizers[name] = optimizer
        self._optimizers.append(Algorithm.Optimizer(optimizer, module))

    def _minimise(self, name: str, loss: Tensor) -> Tensor:
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
        prior = batch.policy
        losses = self.step(
            Transitions(
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
        )
        return UpdateStats({name: value.item() for name, value in losses.items()})

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


class UpdateStats(TrainingStats):
    """One update's losses for Tianshou's loggers."""

    def __init__(self, losses: dict[str, float]) -> None:
        super().__init__()
        self.losses = losses

    def get_loss_stats_dict(self) -> dict[str, float]:
        """The losses by name."""
        return self.losses
