"""The environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Reach(gym.Env):
    """A point in [-1, 1]^2 moves by 0.1 a; observed (4,): its place and the goal."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Place and goal are uniform."""
        super().reset(seed=seed)
        self.last_observation = self.np_random.uniform(-1.0, 1.0, 4).astype(np.float32)
        return self.last_observation.copy(), {}

    def step(self, action: Any) -> Any:
        """One move; `info["success"]` is whether the goal is near."""
        place, goal = self.last_observation[:2], self.last_observation[2:]
        place = np.clip(place + 0.1 * np.clip(action, -1.0, 1.0), -1.0, 1.0)
        self.last_observation = np.concatenate([place, goal]).astype(np.float32)
        distance = float(np.linalg.norm(place - goal))
        info = {"success": distance < self.tolerance}
        return self.last_observation.copy(), -distance, False, False, info

    def get_state(self) -> dict[str, Any]:
        """All there is."""
        return {"observation": self.last_observation.copy()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Puts it where `get_state` found another."""
        self.last_observation = np.array(state["observation"], np.float32)
