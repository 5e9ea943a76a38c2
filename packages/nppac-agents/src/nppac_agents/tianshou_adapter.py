"""What Tianshou's containers and collectors see of an agent; conversions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tianshou.algorithm.algorithm_base import Policy, TrainingStats
from tianshou.data import Batch

from nppac_agents.data.transitions import Transitions
from nppac_agents.phase import Losses
from nppac_agents.spaces import Spaces


class ActingPolicy(Policy):
    """Tianshou's view of `Agent.act`: samples within a training step, the mode outside of one.

    Tianshou stores the raw action and clips it on the way to the environment.
    """

    def __init__(self, spaces: Spaces, act: Callable[..., np.ndarray]) -> None:
        super().__init__(spaces.action, spaces.observation, action_bound_method="clip")
        self.act = act

    def forward(self, batch: Any, state: Any = None, **_: Any) -> Batch:
        """Raw actions for `batch.obs` (B, S)."""
        deterministic = not self.is_within_training_step
        return Batch(act=self.act(np.asarray(batch.obs), deterministic=deterministic), state=state)

    @staticmethod
    def _compile() -> None:
        """Nothing: what Tianshou compiles here, for seconds, no agent of this project calls."""


class UpdateStats(TrainingStats):
    """One update's losses for Tianshou's loggers."""

    def __init__(self, losses: Losses) -> None:
        super().__init__()
        self.losses = {name: value.item() for name, value in losses.items()}

    def get_loss_stats_dict(self) -> dict[str, float]:
        """The losses by name."""
        return self.losses


def transitions_of(batch: Any) -> Transitions:
    """The transitions in a Tianshou batch of a `TensorReplay`."""
    columns: dict[str, Any] = dict(batch.transitions.items())
    columns["extra"] = dict(columns["extra"].items())
    return Transitions(**columns)
