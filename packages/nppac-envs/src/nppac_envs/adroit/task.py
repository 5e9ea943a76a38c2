"""The hand tasks as Gymnasium environments with binary rewards.

The simulator is Gymnasium-Robotics'; its reward is ignored, because its sparse reward is 10 / -0.1
and its dense reward changed between releases. Reward comes from the success flag alone.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any, Literal, final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from nppac_envs.errors import ConfigError
from nppac_envs.mujoco_task import MujocoTask

with contextlib.redirect_stderr(io.StringIO()):  # its notice about rewards that are not used here
    from gymnasium_robotics.envs.adroit_hand.adroit_door import AdroitHandDoorEnv
    from gymnasium_robotics.envs.adroit_hand.adroit_pen import AdroitHandPenEnv

_SIMULATORS = {"door": AdroitHandDoorEnv, "pen": AdroitHandPenEnv}


@final
class AdroitTask(MujocoTask):
    """One hand task; never terminates, so wrap it in a `TimeLimit` (the registered ids do).

    Observations are the simulator's, cast to float32: relative error 6e-8, far below the
    simulator's own accuracy, and what networks and `Demonstrations` hold. Success is decided in
    float64 before the cast. `info` holds `success: bool` and nothing else, at reset too (False:
    no start state is a success).

    Attributes:
        simulator: Gymnasium-Robotics' environment, for its `model`, `data` and `set_env_state`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}  # noqa: RUF012
    model_fields = ("body_pos", "body_quat", "site_pos")

    def __init__(
        self,
        task: Literal["door", "pen"],
        reward: Literal["zero-one", "binary"] = "zero-one",
        render_mode: str | None = None,
    ) -> None:
        """Build the simulator.

        Args:
            task: Which task.
            reward: "zero-one" (1 on success, else 0) or "binary" (0 on success, else -1).
            render_mode: `None` or "rgb_array".

        Raises:
            ConfigError: `reward` is none of the two.
        """
        if reward not in ("zero-one", "binary"):
            raise ConfigError(f"reward {reward!r} is unknown; choose 'zero-one' or 'binary'")
        self.simulator = _SIMULATORS[task](render_mode=render_mode)
        self.render_mode = render_mode
        self.action_space = self.simulator.action_space
        shape = self.simulator.observation_space.shape
        self.observation_space = spaces.Box(-np.inf, np.inf, shape, np.float32)
        self._rewards = (0.0, 1.0) if reward == "zero-one" else (-1.0, 0.0)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Draw a start state; the same seed gives the same start and the same ones after it.

        Args:
            seed: Seeds the generator of start states; `None` continues it.
            options: `{"initial_state_dict": ...}` starts from a given simulator state.
        """
        super().reset(seed=seed)
        self.simulator.np_random = self.np_random
        observation, _ = self.simulator.reset(options=options)
        self.last_observation = observation.astype(np.float32)
        return self.last_observation, {"success": False}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Advance 0.01 s; entries of the action outside [-1, 1] are clipped."""
        observation, _, _, _, info = self.simulator.step(action)
        success = bool(info["success"])
        self.last_observation = observation.astype(np.float32)
        return self.last_observation, self._rewards[success], False, False, {"success": success}
