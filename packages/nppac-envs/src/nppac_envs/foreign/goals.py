"""`stated_goals`: the goals of a foreign environment with Gymnasium's interface for goals.

Its observations are a dictionary with `achieved_goal` and `desired_goal`, and its `compute_reward`
(and `compute_terminated`, where it has one) judges others; see Gymnasium-Robotics' `GoalEnv`.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from nppac_envs.foreign.adapted import FlatObservations
from nppac_envs.goals import Goals, Judge

if TYPE_CHECKING:
    from nppac_envs.foreign.config import GymnasiumConfig


def stated_goals(config: GymnasiumConfig) -> Goals | None:
    """Where the state has the entries of both goals, and what judges them; None without these.

    Raises:
        ConfigError: It cannot be made.
    """
    with contextlib.closing(config.make()) as env:
        places = _places(env)
        own: Any = env.unwrapped
    if not {"achieved_goal", "desired_goal"} <= set(places) or not hasattr(own, "compute_reward"):
        return None
    ends = getattr(own, "compute_terminated", None)
    return Goals(
        places["achieved_goal"],
        places["desired_goal"],
        _judge(own.compute_reward),
        None if ends is None else _judge(ends),
    )


def _places(env: gymnasium.Env[Any, Any]) -> dict[str, tuple[int, ...]]:
    """Which entries of the flat observation each entry of the dictionary takes."""
    layer: Any = env
    while not isinstance(layer, FlatObservations):
        layer = layer.env
    space: Any = layer.env.observation_space
    sizes = [int(np.prod(space[key].shape)) for key in layer.keys or ()]
    ends = itertools.accumulate(sizes)
    return {
        key: tuple(range(end - size, end))
        for key, size, end in zip(layer.keys or (), sizes, ends, strict=True)
    }


def _judge(compute: Callable[..., Any]) -> Judge:
    """One of the environment's functions; what it says of all steps alike counts for each."""

    def judged(achieved: NDArray[np.float32], desired: NDArray[np.float32]) -> NDArray[Any]:
        said = np.asarray(compute(achieved, desired, {}))
        return np.broadcast_to(said, len(achieved)) if said.ndim == 0 else said

    return judged
