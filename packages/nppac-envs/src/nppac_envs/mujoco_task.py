"""`MujocoTask`: what the tasks share: a wrapped simulator, its exact state, its frames.

A task owns one of the public simulators (Gymnasium's or Gymnasium-Robotics') and decides what its
reward, success and observation are. The state of the simulator is the same matter for all.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import ConfigError

mujoco: Any = importlib.import_module("mujoco")  # its compiled module has no types
_INTEGRATION = int(mujoco.mjtState.mjSTATE_INTEGRATION)
_LOG = logging.getLogger(__name__)
_OBSERVATION = "observation"

Observation = NDArray[np.float32] | dict[str, NDArray[np.float32]]


@contextlib.contextmanager
def logged_warnings() -> Iterator[None]:
    """Inside, MuJoCo's warnings go to the log, not to stderr and a file in the working folder.

    For building a simulator: Gymnasium's model files use attributes that MuJoCo calls deprecated.
    """
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda message: _LOG.debug("MuJoCo: %s", message))
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


class MujocoTask(gymnasium.Env[Any, NDArray[np.float32]]):
    """A task on a simulator with `model`, `data`, `render` and `close`.

    A subclass names what is part of its state beyond MuJoCo's integration state, and keeps the
    latest observation in `last_observation`.

    Attributes:
        simulator: The wrapped environment.
        last_observation: What the latest reset or step returned; None before the first reset.
    """

    model_fields: ClassVar[tuple[str, ...]] = ()
    """Arrays of the model that a reset changes."""
    data_fields: ClassVar[tuple[str, ...]] = ()
    """Computed arrays that the simulator reads before it recomputes them."""
    attributes: tuple[str, ...] = ()
    """Numbers that the wrapped environment keeps outside of the model and its data."""

    simulator: Any
    last_observation: Observation | None = None

    def get_state(self) -> dict[str, NDArray[Any]]:
        """The simulator's integration state, the fields above and the latest observation."""
        model, data = self.simulator.model, self.simulator.data
        integration = np.empty(mujoco.mj_stateSize(model, _INTEGRATION))
        mujoco.mj_getState(model, data, integration, _INTEGRATION)
        state: dict[str, NDArray[Any]] = {"integration": integration}
        state |= {name: getattr(model, name).copy() for name in self.model_fields}
        state |= {name: getattr(data, name).copy() for name in self.data_fields}
        state |= {name: np.array(getattr(self.simulator, name)) for name in self.attributes}
        return state | _observation_arrays(self.last_observation)

    def set_state(self, state: dict[str, NDArray[Any]]) -> None:
        """Continue from what `get_state` returned; further steps are identical to the bit."""
        model, data = self.simulator.model, self.simulator.data
        for name in self.model_fields:
            getattr(model, name)[:] = state[name]
        mujoco.mj_setState(model, data, state["integration"], _INTEGRATION)
        mujoco.mj_forward(model, data)  # for drawing; before 4.0 it moves the solver's warm start
        mujoco.mj_setState(model, data, state["integration"], _INTEGRATION)
        for name in self.data_fields:
            getattr(data, name)[:] = state[name]
        for name in self.attributes:
            setattr(self.simulator, name, np.array(state[name])[()])
        self.last_observation = _observation(state)

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


def _observation_arrays(observation: Observation | None) -> dict[str, NDArray[np.float32]]:
    if observation is None:
        return {}
    if isinstance(observation, dict):
        return {f"{_OBSERVATION}.{name}": array.copy() for name, array in observation.items()}
    return {_OBSERVATION: observation.copy()}


def _observation(state: dict[str, NDArray[Any]]) -> Observation | None:
    if _OBSERVATION in state:
        return state[_OBSERVATION].copy()
    prefix = f"{_OBSERVATION}."
    parts = {k.removeprefix(prefix): v.copy() for k, v in state.items() if k.startswith(prefix)}
    return parts or None
