"""The exact state of an environment between two steps, to continue from later or elsewhere.

It is the task's own state (the simulator's integration state, the model fields that a reset
changes, and the latest observation, because a recomputed one differs by a simulator substep), the
generator of its start states, and the counters and flags of its wrappers, all as plain arrays.
Restored into an environment made from the same config, every further step is identical to the bit.

`get_env_state` takes one environment, `get_vector_state` a `SyncVectorEnv`, whose state also says
which environments its next step resets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import Autoreset, OrderEnforcing, TimeLimit
from numpy.typing import NDArray

from nppac_envs.checked import CheckedEnv
from nppac_envs.errors import ConfigError
from nppac_envs.faults import described

State = dict[str, NDArray[Any]]

_COUNTERS: dict[type, dict[str, type]] = {
    TimeLimit: {"_elapsed_steps": int},
    OrderEnforcing: {"_has_reset": bool},
    Autoreset: {"autoreset": bool},
    CheckedEnv: {"episode": int, "elapsed": int},
}
"""The attributes of wrappers that are part of an environment's state."""


def has_state(env: gymnasium.Env[Any, Any]) -> bool:
    """Whether an environment that has been reset can be saved: get_state gives a dict."""
    task: Any = env.unwrapped
    if not (hasattr(task, "get_state") and hasattr(task, "set_state")):
        return False
    try:
        return isinstance(task.get_state(), dict)
    except TypeError:  # it wants arguments: something else of this name
        return False


def get_env_state(env: gymnasium.Env[Any, Any]) -> State:
    """The state of an environment that has been reset.

    Raises:
        ConfigError: The task offers no `get_state`, has not been reset, or its state holds what is
            no array of numbers.
    """
    task = _task(env)
    state = {f"task.{n}": _saved(task, n, value) for n, value in task.get_state().items()}
    generator = json.dumps(task.np_random.bit_generator.state).encode()
    state["generator"] = np.frombuffer(generator, np.uint8).copy()
    for name, wrapper, attribute in _counters(env):
        value = getattr(wrapper, attribute)
        if value is None:
            raise ConfigError("the environment has no state before its first reset; call reset()")
        state[name] = np.array(value, np.int64)
    return state


def set_env_state(env: gymnasium.Env[Any, Any], state: State) -> Any:
    """Put an environment made from the same config where `get_env_state` found another.

    Returns:
        The observation that the other's latest reset or step returned; None where the task keeps
        none (`last_observation`).

    Raises:
        ConfigError: The task offers no `set_state`, or one that does not bring the state back; or
            the state is of other wrappers.
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
    _require_taken(task, own)
    task.np_random.bit_generator.state = json.loads(state["generator"].tobytes())
    for name, wrapper, attribute in _counters(env):
        kind = _COUNTERS[type(wrapper)][attribute]
        setattr(wrapper, attribute, kind(state[name]))
    observation = getattr(task, "last_observation", None)
    return None if observation is None else _seen_through(env, observation)


def get_vector_state(envs: SyncVectorEnv) -> State:
    """The states of a vector environment's parts, and which of them its next step resets.

    An `AsyncVectorEnv` has its parts in other processes and cannot be saved.
    """
    state = {"autoreset": envs._autoreset_envs.copy()}
    for index, env in enumerate(envs.envs):
        state |= {f"{index}.{name}": value for name, value in get_env_state(env).items()}
    return state


def set_vector_state(envs: SyncVectorEnv, state: State) -> NDArray[Any]:
    """Put a vector environment made the same way where `get_vector_state` found another.

    Returns:
        The latest observations, (E, ...).
    """
    envs._autoreset_envs = np.array(state["autoreset"], np.bool_)
    latest: list[Any] = []
    for index, env in enumerate(envs.envs):
        prefix = f"{index}."
        own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        latest.append(set_env_state(env, own))
    envs._env_obs = latest
    return np.stack(latest)


def _task(env: gymnasium.Env[Any, Any]) -> Any:
    task = env.unwrapped
    if not (hasattr(task, "get_state") and hasattr(task, "set_state")):
        raise ConfigError(
            f"{type(task).__name__} cannot be saved and resumed: it has no get_state and set_state"
        )
    return task


def _saved(task: Any, name: str, value: Any) -> NDArray[Any]:
    try:
        array = np.array(value)
    except ValueError:  # a list of lists of several lengths
        array = np.empty(0, np.object_)
    if array.dtype.kind not in "biuf":
        raise ConfigError(
            f"get_state() of {type(task).__name__} has {described(value)} under {name!r}; it has "
            "to be a dict of arrays of numbers (of what is nested, one for each part)"
        )
    return array


def _require_taken(task: Any, state: State) -> None:
    """Refuses a `set_state` after which `get_state` tells something else."""
    now = {name: np.asarray(value) for name, value in task.get_state().items()}
    for name, value in state.items():
        same = name in now and now[name].shape == value.shape
        if not (same and np.allclose(now[name], value, equal_nan=True)):
            raise ConfigError(
                f"set_state() of {type(task).__name__} does not bring back what get_state() gave: "
                f"{name!r} is another afterwards; mend one of them, or take both out, and a resume "
                "resets the environment"
            )


def _wrappers(env: gymnasium.Env[Any, Any]) -> Iterator[Any]:
    """The wrappers, from the outermost to the innermost."""
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper):
        yield layer
        layer = layer.env


def _counters(env: gymnasium.Env[Any, Any]) -> Iterator[tuple[str, Any, str]]:
    for layer in _wrappers(env):
        for attribute in _COUNTERS.get(type(layer), ()):
            yield f"wrapper.{type(layer).__name__}.{attribute}", layer, attribute


def _seen_through(env: gymnasium.Env[Any, Any], observation: Any) -> Any:
    for layer in reversed(list(_wrappers(env))):
        if isinstance(layer, gymnasium.ObservationWrapper):
            observation = layer.observation(observation)
    return observation
