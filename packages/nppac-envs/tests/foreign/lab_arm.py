"""An environment as somebody else writes it: its own units, no get_state, no time limit."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict


class Arm(gymnasium.Env):
    """Two joints in degrees; torques of -3 to 5 and 0 to 2; observations by default an int array.

    Args:
        space: What it observes.
        action_space: Instead of its own.
        told: Key of the info that tells success, and when ("always", "end", "never").
    """

    def __init__(
        self,
        observations: Any = None,
        action_space: Any = None,
        told: tuple[str, str] = ("is_success", "always"),
        length: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.observation_space = observations or Box(-1000, 1000, (2,), np.int64)
        low, high = np.array([-3.0, 0.0]), np.array([5.0, 2.0])
        self.action_space = action_space or Box(low, high, dtype=np.float64)
        self.told, self.length, self.render_mode = told, length, render_mode
        self.seen: list[Any] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.angles, self.steps = self.np_random.integers(-90, 90, 2), 0
        return self._observation(), {"is_success": False, "distance": 9.0}

    def step(self, action: Any) -> Any:
        self.seen.append(action)
        self.steps += 1
        self.angles = self.angles + np.round(action).astype(np.int64)
        key, when = self.told
        ended = self.steps == self.length
        info: dict[str, Any] = {"distance": 10.0 - self.steps}
        if when == "always" or (when == "end" and ended):
            info[key] = np.float32(self.steps >= 3)
        return self._observation(), 0, ended, False, info

    def _observation(self) -> Any:
        if isinstance(self.observation_space, Dict):
            named = {
                "goal": np.array([1.0, 2.0]),
                "angles": self.angles,
                "time": np.array(self.steps),
                "camera": np.zeros((8, 8, 3), np.uint8),
            }
            return {key: named[key] for key in self.observation_space.spaces}
        return self.angles


def make(**options: Any) -> Arm:
    return Arm(**options)


def make_nothing() -> str:
    return "no environment"


gymnasium.register("LabArm-v0", entry_point=Arm, max_episode_steps=7)
gymnasium.register("LabArmEndless-v0", entry_point=Arm)
