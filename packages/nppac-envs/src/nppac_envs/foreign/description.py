"""`described`: what a foreign environment turned out to be, for people and for what is saved."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import gymnasium

from nppac_envs.foreign.adapted import FlatObservations, action_bounds
from nppac_envs.foreign.importing import place_of

if TYPE_CHECKING:
    from nppac_envs.foreign.config import GymnasiumConfig


def described(config: GymnasiumConfig) -> dict[str, Any]:
    """Import and make an environment, and say what it is.

    Returns:
        JSON: `id`, `class` (module and name of the environment's own class), `file` (where that
        was imported from), `observation_keys` (the entries of the state in order; None for a plain
        observation) and `action_bounds` (what -1 and 1 stand for, two lists of A numbers in the
        environment's units; None where they are its own).

    Raises:
        ConfigError: It cannot be made.
    """
    with contextlib.closing(config.make()) as env:
        own: Any = type(env.unwrapped)
        bounds = action_bounds(env)
        return {
            "id": config.id,
            "class": f"{own.__module__}.{own.__qualname__}",
            "file": place_of(sys.modules[own.__module__]),
            "observation_keys": _keys(env),
            "action_bounds": None if bounds is None else bounds.tolist(),
        }


def in_one_line(description: dict[str, Any]) -> str:
    """A description for the console."""
    text = f"imports {description['class']} from {description['file']}"
    if description["observation_keys"] is not None:
        text += f"; its state is {', '.join(description['observation_keys'])}"
    if description["action_bounds"] is not None:
        low, high = (", ".join(f"{x:.6g}" for x in end) for end in description["action_bounds"])
        text += f"; actions -1 and 1 stand for ({low}) and ({high})"
    return text


def _keys(env: gymnasium.Env[Any, Any]) -> list[str] | None:
    layer: Any = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, FlatObservations):
            return None if layer.keys is None else list(layer.keys)
        layer = layer.env
    return None
