"""The locomotion tasks as Gymnasium environments: Gymnasium's v5, and the rules of v2 on it.

What v2 did otherwise, from the sources of OpenAI Gym 0.12: Walker2d's feet had different friction
(the model file `walker2d.xml`); Ant had contact forces that MuJoCo 2.0 left at 0; the bonus of 1
for being alive was paid on the terminating step too. Everything else is the same.
"""

from __future__ import annotations

from typing import Any, Literal, final

import numpy as np
from gymnasium import spaces
from gymnasium.envs.mujoco.ant_v5 import AntEnv
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from gymnasium.envs.mujoco.hopper_v5 import HopperEnv
from gymnasium.envs.mujoco.walker2d_v5 import Walker2dEnv
from numpy.typing import NDArray

from nppac_envs.mujoco_task import MujocoTask, logged_warnings

_SIMULATORS: dict[str, Any] = {
    "halfcheetah": HalfCheetahEnv,
    "walker2d": Walker2dEnv,
    "ant": AntEnv,
    "hopper": HopperEnv,
}
_V2_SETTINGS: dict[str, dict[str, Any]] = {
    "walker2d": {"xml_file": "walker2d.xml"},
    "ant": {"include_cfrc_ext_in_observation": False, "contact_cost_weight": 0.0},
}
_V2_ALIVE_BONUS = 1.0


@final
class LocomotionTask(MujocoTask):
    """One locomotion task; wrap it in a `TimeLimit` (the registered ids do).

    Observations are the simulator's, cast to float32 as for the hand tasks. `info` is empty: there
    is no success.

    Attributes:
        simulator: Gymnasium's environment.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    data_fields = ("xpos",)  # Ant's speed starts from the position that the last step computed

    def __init__(
        self,
        robot: Literal["halfcheetah", "walker2d", "ant", "hopper"],
        variant: Literal["v5", "v2"] = "v5",
        render_mode: str | None = None,
    ) -> None:
        """Build the simulator.

        Args:
            robot: Which task.
            variant: Whose rules; see the module's docstring.
            render_mode: `None` or "rgb_array".
        """
        settings = _V2_SETTINGS.get(robot, {}) if variant == "v2" else {}
        with logged_warnings():
            self.simulator = _SIMULATORS[robot](render_mode=render_mode, **settings)
        self.metadata = {**self.metadata, "render_fps": self.simulator.metadata["render_fps"]}
        self.render_mode = render_mode
        self.action_space = self.simulator.action_space
        shape = self.simulator.observation_space.shape
        self.observation_space = spaces.Box(-np.inf, np.inf, shape, np.float32)
        self._last_bonus = _V2_ALIVE_BONUS if variant == "v2" else 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a start state; the same seed gives the same start and the same ones after it."""
        super().reset(seed=seed)
        self.simulator.np_random = self.np_random
        observation, _ = self.simulator.reset(options=options)
        self.last_observation = seen = observation.astype(np.float32)
        return seen, {}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Advance one control step (0.05 s; Walker2d and Hopper 0.008 s)."""
        observation, reward, terminated, _, _ = self.simulator.step(action)
        if terminated:
            reward += self._last_bonus
        self.last_observation = seen = observation.astype(np.float32)
        return seen, float(reward), bool(terminated), False, {}
