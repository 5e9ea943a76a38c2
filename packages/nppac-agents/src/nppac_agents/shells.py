"""The agent under each of Tianshou's three trainers."""

from __future__ import annotations

from typing import Any

import numpy as np
from tianshou.algorithm.algorithm_base import (
    OfflineAlgorithm,
    OffPolicyAlgorithm,
    OnPolicyAlgorithm,
    TrainingStats,
)

from nppac_agents.agent import Agent
from nppac_agents.tianshou_adapter import UpdateStats


class OffPolicyAgent(Agent, OffPolicyAlgorithm):
    """For Tianshou's off-policy trainer."""


class OfflineAgent(Agent, OfflineAlgorithm):
    """For Tianshou's offline trainer."""


class OnPolicyAgent(Agent, OnPolicyAlgorithm):
    """For Tianshou's on-policy trainer: one update on everything collected, in time order."""

    def _preprocess_batch(self, batch: Any, buffer: Any, indices: np.ndarray) -> Any:
        return buffer.in_order()

    def _update_with_batch(
        self, batch: Any, batch_size: int | None = None, repeat: int = 1
    ) -> TrainingStats:
        return UpdateStats(self.step(batch))


SHELLS: dict[str, type[Agent]] = {
    "off-policy": OffPolicyAgent,
    "offline": OfflineAgent,
    "on-policy": OnPolicyAgent,
}
