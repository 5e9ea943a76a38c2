"""The exact state of an environment between two steps, to continue from later or elsewhere.

It is the task's own state (for the hand tasks, the simulator's integration state and the model
fields that a reset changes), the generator of its start states, and the counters of its wrappers,
all as plain arrays. Restored into an environment made from the same config, every further step is
identical to the bit. The last observation is not part of it: keep the one that the last step
returned, because a recomputed one differs by a simulator substep.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import OrderEnforcing, TimeLimit
from numpy.typing import NDArray

from nppac_envs.errors import ConfigError

State = dict[str, NDArray[Any]]

_COUNTERS = {TimeLimit: "_elapsed_steps", OrderEnforcing: "_has_reset"}


def get_env_state(env: gymnasium.Env[Any, Any]) -> State:
    """The state of an environment that has been reset.

    Raises:
        ConfigError: The task offers no `get_state`, or has not been reset.
    """
    task = _task(env)
    state = {f"task.{name}": np.array(value) for name, value in task.get_state().items()}
    generator = json.dumps(task.np_random.bit_generator.state).encode()
    state["generator"] = np.frombuffer(generator, np.uint8).copy()
    for name, wrapper, attribute in _counters(env):
        value = getattr(wrapper, attribute)
        if value is None:
            raise ConfigError("the environment has no state before its first reset; call reset()")
        state[name] = np.array(value, np.int64)
    return state


def set_env_state(env: gymnasium.Env[Any, Any], state: State) -> None:
    """Puts an environment made from the same config where `get_env_state` found another.

    Raises:
        ConfigError: The task offers no `set_state`, or the state is of other wrappers.
    """
    task = _task(env)
    expected = {name for name, _, _ in _counters(env)}
    given = {name for name in state if name.startswith("wrapper.")}
    if expected != given:
        raise ConfigError(
            f"the state is of an environment with wrappers {sorted(given)}, this one has "
            f"{sorted(expected)}; make both from the same config"
        )
    own = {k.removeprefix("task."): v for k, v in state.items() if k.startswith("task.")}
    task.set_state(own)
    task.np_random.bit_generator.state = json.loads(state["generator"].tobytes())
    for name, wrapper, attribute in _counters(env):
        kind = bool if attribute == "_has_reset" else int
        setattr(wrapper, attribute, kind(state[name]))


def _task(env: gymnasium.Env[Any, Any]) -> Any:
    task = env.unwrapped
    if not (hasattr(task, "get_state") and hasattr(task, "set_state")):
        raise ConfigError(
            f"{type(task).__name__} cannot be saved and resumed: it has no get_state and set_state"
        )
    return task


def _counters(env: gymnasium.Env[Any, Any]) -> Iterator[tuple[str, Any, str]]:
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper):
        attribute = _COUNTERS.get(type(layer))
        if attribute is not None:
            yield f"wrapper.{type(layer).__name__}", layer, attribute
        layer = layer.env
