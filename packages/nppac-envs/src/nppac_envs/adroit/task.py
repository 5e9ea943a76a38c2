"""The hand tasks as Gymnasium environments with binary rewards.

The simulator is Gymnasium-Robotics'; its reward is ignored, because its sparse reward is 10 / -0.1
and its dense reward changed between releases. Reward comes from the success flag alone.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from typing import Any, Literal, final

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from nppac_envs.errors import ConfigError

with contextlib.redirect_stderr(io.StringIO()):  # its notice about rewards that are not used here
    from gymnasium_robotics.envs.adroit_hand.adroit_door import AdroitHandDoorEnv
    from gymnasium_robotics.envs.adroit_hand.adroit_pen import AdroitHandPenEnv

mujoco: Any = importlib.import_module("mujoco")  # its compiled module has no types
_INTEGRATION = int(mujoco.mjtState.mjSTATE_INTEGRATION)
_RESET_FIELDS = ("body_pos", "body_quat", "site_pos")
_SIMULATORS = {"door": AdroitHandDoorEnv, "pen": AdroitHandPenEnv}


@final
class AdroitTask(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """One hand task; never terminates, so wrap it in a `TimeLimit` (the registered ids do).

    Observations are the simulator's, cast to float32: relative error 6e-8, far below the
    simulator's own accuracy, and what networks and `Demonstrations` hold. Success is decided in
    float64 before the cast. `info` holds `success: bool` and nothing else, at reset too (False:
    no start state is a success).

    Attributes:
        simulator: Gymnasium-Robotics' environment, for its `model`, `data` and `set_env_state`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}  # noqa: RUF012

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
        return observation.astype(np.float32), {"success": False}

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Advance 0.01 s; entries of the action outside [-1, 1] are clipped."""
        observation, _, _, _, info = self.simulator.step(action)
        success = bool(info["success"])
        reward = self._rewards[success]
        return observation.astype(np.float32), reward, False, False, {"success": success}

    def get_state(self) -> dict[str, NDArray[np.float64]]:
        """The simulator's integration state and the model fields that a reset changes."""
        model, data = self.simulator.model, self.simulator.data
        size = mujoco.mj_stateSize(model, _INTEGRATION)
        integration = np.empty(size)
        mujoco.mj_getState(model, data, integration, _INTEGRATION)
        fields = {name: getattr(model, name).copy() for name in _RESET_FIELDS}
        return {"integration": integration, **fields}

    def set_state(self, state: dict[str, NDArray[np.float64]]) -> None:
        """Continue from what `get_state` returned; further steps are identical to the bit."""
        model, data = self.simulator.model, self.simulator.data
        for name in _RESET_FIELDS:
            getattr(model, name)[:] = state[name]
        mujoco.mj_setState(model, data, state["integration"], _INTEGRATION)
        mujoco.mj_forward(model, data)  # for drawing; it also moves the solver's warm start
        mujoco.mj_setState(model, data, state["integration"], _INTEGRATION)

    def render(self) -> NDArray[np.uint8]:
        """Draw one frame, (480, 480, 3).

        Raises:
            ConfigError: No OpenGL context can be made on this machine.
        """
        try:
            return self.simulator.render()
        except Exception as error:
            raise ConfigError(
                f"cannot draw off-screen ({type(error).__name__}); on a machine without a display "
                "set the environment variable MUJOCO_GL to 'egl' or 'osmesa' before Python starts"
            ) from error

    def close(self) -> None:
        """Free the renderer."""
        self.simulator.close()
