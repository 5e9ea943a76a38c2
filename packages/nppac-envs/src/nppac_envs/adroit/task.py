"""The hand tasks as Gymnasium environments with the literature's rewards.

The simulator is Gymnasium-Robotics'; its reward is ignored, because its sparse reward is 10 / -0.1
and its dense reward changed between releases. `rewards` has those that are used.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any, Literal, final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from nppac_envs.adroit.rewards import pen_dropped, rewards_of
from nppac_envs.errors import ConfigError
from nppac_envs.mujoco_task import MujocoTask

with contextlib.redirect_stderr(io.StringIO()):  # its notice about rewards that are not used here
    from gymnasium_robotics.envs.adroit_hand.adroit_door import AdroitHandDoorEnv
    from gymnasium_robotics.envs.adroit_hand.adroit_hammer import AdroitHandHammerEnv
    from gymnasium_robotics.envs.adroit_hand.adroit_pen import AdroitHandPenEnv
    from gymnasium_robotics.envs.adroit_hand.adroit_relocate import AdroitHandRelocateEnv

_SIMULATORS = {
    "door": AdroitHandDoorEnv,
    "pen": AdroitHandPenEnv,
    "hammer": AdroitHandHammerEnv,
    "relocate": AdroitHandRelocateEnv,
}


@final
class AdroitTask(MujocoTask):
    """One hand task; wrap it in a `TimeLimit` (the registered ids do).

    Observations are the simulator's, cast to float32: relative error 6e-8, far below the
    simulator's own accuracy, and what networks and `Demonstrations` hold. Success is the
    simulator's own flag, decided in float64 before the cast. `info` holds `success: bool` and
    nothing else, at reset too (False: no start state is a success). Never terminates unless asked.

    Attributes:
        simulator: Gymnasium-Robotics' environment, for its `model`, `data` and `set_env_state`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}  # noqa: RUF012
    model_fields = ("body_pos", "body_quat", "site_pos")

    def __init__(
        self,
        task: Literal["door", "pen", "hammer", "relocate"],
        reward: Literal["zero-one", "binary", "sparse", "dense"] = "zero-one",
        terminate_when_dropped: bool = False,
        render_mode: str | None = None,
    ) -> None:
        """Build the simulator.

        Args:
            task: Which task.
            reward: "zero-one" (1 on success, else 0), "binary" (0 on success, else -1), or the
                shaped "sparse" or "dense" of `nppac_envs.adroit.rewards`.
            terminate_when_dropped: Terminate when the pen falls; for the pen only.
            render_mode: `None` or "rgb_array".

        Raises:
            ConfigError: `reward` is unknown, or termination on a drop is asked of another task.
        """
        rewards = rewards_of(task)
        if reward not in rewards:
            raise ConfigError(f"reward {reward!r} is unknown; choose one of {', '.join(rewards)}")
        if terminate_when_dropped and task != "pen":
            raise ConfigError(f"{task!r} has nothing to drop; only 'pen' can end on a drop")
        self.simulator = _SIMULATORS[task](reward_type="sparse", render_mode=render_mode)
        self.attributes = ("pen_length", "tar_length") if task == "pen" else ()
        self.render_mode = render_mode
        self.action_space = self.simulator.action_space
        shape = self.simulator.observation_space.shape
        self.observation_space = spaces.Box(-np.inf, np.inf, shape, np.float32)
        self._reward = rewards[reward]
        self._terminate_when_dropped = terminate_when_dropped

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
        self.last_observation = seen = observation.astype(np.float32)
        return seen, {"success": False}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Advance 0.01 s; entries of the action outside [-1, 1] are clipped."""
        observation, _, _, _, info = self.simulator.step(action)
        success = bool(info["success"])
        reward = float(self._reward(self.simulator, success))
        terminated = self._terminate_when_dropped and pen_dropped(self.simulator)
        self.last_observation = seen = observation.astype(np.float32)
        return seen, reward, terminated, False, {"success": success}
