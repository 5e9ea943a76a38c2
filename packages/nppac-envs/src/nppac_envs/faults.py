"""What is told of an environment that cannot be used, with the plugin that it is of."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from nppac_envs.config import EnvConfig
from nppac_envs.errors import ConfigError, FaultyEnvironmentError
from nppac_envs.plugin_origin import plugin_of

PURPOSE = (
    "nppac learns from vectors of numbers with continuous actions, not from images or with "
    "discrete actions"
)
_FLATTEN = {
    what: f"lay its parts side by side in the config's make(), such as with gymnasium.wrappers.{by}"
    for what, by in (("observation", "FlattenObservation"), ("action", "TransformAction"))
}
_SHOWN = 200
"""Characters of a space in a message."""


def fault(config: EnvConfig, problem: str) -> FaultyEnvironmentError:
    """The error that says what an environment did wrong."""
    return FaultyEnvironmentError(f"{_name(config)}: {problem}", plugin_of(config))


def require_boxes(config: EnvConfig, env: gymnasium.Env[Any, Any]) -> None:
    """Refuse spaces other than a flat box of observations and one of actions in [-1, 1].

    Raises:
        ConfigError: With the space.
    """
    for space, what in ((env.observation_space, "observation"), (env.action_space, "action")):
        if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
            parts = isinstance(space, gymnasium.spaces.Dict | gymnasium.spaces.Tuple)
            advice = f"{_FLATTEN[what]}; " if parts else ""
            raise ConfigError(
                f"{_name(config)}: its {what} space is {shown(space)}, has to be a Box of one "
                f"dimension; {advice}{PURPOSE}"
            )
        if what == "action" and not (np.all(space.low == -1) and np.all(space.high == 1)):
            raise ConfigError(
                f"{_name(config)}: its action space is {shown(space)}, has to be [-1, 1]; rescale "
                "actions in the config's make(), such as with gymnasium.wrappers.RescaleAction"
            )


def described(value: Any) -> str:
    """A value that is not what it should be: its type, and an array's shape and data type."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    return f"a {type(value).__name__}"


def let_interruption_pass(error: BaseException) -> None:
    """Raises a KeyboardInterrupt where one is behind an error.

    A compiled module that is interrupted while it is imported makes an ImportError of it.
    """
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        behind = behind.__cause__ or behind.__context__


def in_one_line(error: BaseException) -> str:
    """The type of an error and, where it has one, its message."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _name(config: EnvConfig) -> str:
    plugin = plugin_of(config)
    return f"environment {config.shown_as}" + ("" if plugin is None else f" of plugin {plugin}")


def shown(space: gymnasium.Space[Any]) -> str:
    """A space in one line of bounded length."""
    text = " ".join(repr(space).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
