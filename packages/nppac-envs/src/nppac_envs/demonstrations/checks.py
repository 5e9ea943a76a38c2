"""Checks of demonstration arrays; every failure is a one-line `DataError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import DataError

Arrays = Mapping[str, NDArray[Any]]


def check_shapes(arrays: Arrays, where: str) -> None:
    """Check that the arrays belong together.

    Args:
        arrays: `states` (N, S), `actions` (N, A), `final_states` (E, S), `episode_lengths` (E,)
            and any of `rewards` (N,), `successes` (N,), `terminations` (E,), `action_bounds`
            (2, A), `source_range` (2, A), `moved_successes` (E,).
        where: Named in the message.

    Raises:
        DataError: An array holds no numbers, a shape does not fit, or the lengths are no positive
            whole numbers that sum to N.
    """
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise DataError(f"{where}: {name} holds {array.dtype}, not numbers")
        if array.dtype.kind == "b" and (array.view(np.uint8) > 1).any():
            raise DataError(f"{where}: {name} holds truth values that are neither true nor false")
    for name in ("states", "actions", "final_states"):
        if arrays[name].ndim != 2 or 0 in arrays[name].shape:
            raise DataError(
                f"{where}: {name} has shape {arrays[name].shape}; it must be two-dimensional "
                "and not empty"
            )
    steps, width = arrays["states"].shape
    lengths = arrays["episode_lengths"]
    expected = {
        "actions": (steps, arrays["actions"].shape[1]),
        "final_states": (lengths.size, width),
        "episode_lengths": (lengths.size,),
        "rewards": (steps,),
        "successes": (steps,),
        "terminations": (lengths.size,),
        "action_bounds": (2, arrays["actions"].shape[1]),
        "source_range": (2, arrays["actions"].shape[1]),
        "moved_successes": (lengths.size,),
    }
    for name, shape in expected.items():
        if name in arrays and arrays[name].shape != shape:
            raise DataError(
                f"{where}: {name} has shape {arrays[name].shape}, expected {shape} for "
                f"{steps} steps in {lengths.size} episodes"
            )
    check_lengths(lengths, steps, where)
    for name in ("action_bounds", "source_range"):
        ends = arrays.get(name)
        if ends is not None and not (np.isfinite(ends).all() and (ends[0] < ends[1]).all()):
            raise DataError(f"{where}: {name} must be finite, the lowest first")


def check_lengths(lengths: NDArray[Any], steps: int, where: str) -> None:
    """Check that `lengths` are positive whole numbers that sum to `steps`.

    Raises:
        DataError: They are not.
    """
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise DataError(
            f"{where}: episode_lengths must be whole numbers of shape (episodes,), "
            f"not {lengths.dtype} of shape {lengths.shape}"
        )
    wrong = np.flatnonzero((lengths < 1) | (lengths > steps))
    if wrong.size:
        raise DataError(
            f"{where}: episode_lengths[{wrong[0]}] is {lengths[wrong[0]]}; "
            f"it must be between 1 and {steps}, the number of steps"
        )
    total = sum(lengths.tolist())
    if total != steps:
        raise DataError(f"{where}: episode_lengths sum to {total}, but there are {steps} steps")


def check_finite(arrays: Arrays, where: str) -> None:
    """Check that no number is NaN or infinite.

    Raises:
        DataError: Names the array, the episode and the step of the first one.
    """
    starts = np.cumsum(arrays["episode_lengths"]) - arrays["episode_lengths"]
    for name in ("states", "actions", "final_states", "rewards"):
        if name not in arrays or bool(np.isfinite(arrays[name]).all()):
            continue
        bad = ~np.isfinite(arrays[name].reshape(len(arrays[name]), -1)).all(axis=1)
        row = int(np.flatnonzero(bad)[0])
        episode, step = row, int(arrays["episode_lengths"][min(row, starts.size - 1)])
        if name != "final_states":
            episode = int(np.searchsorted(starts, row, side="right")) - 1
            step = row - int(starts[episode])
        raise DataError(
            f"{where}: {name} is not finite in float32 at episode {episode}, step {step}",
            "read the set without rewards, {drop_rewards}, if they are not needed"
            if name == "rewards"
            else "",
            drop_rewards=True,
        )


def check_actions(actions: NDArray[np.float32], where: str) -> None:
    """Check that every action entry is within [-1, 1].

    Raises:
        DataError: Says how many are not, their range, and how to map or clip them.
    """
    outside = int((np.abs(actions) > 1.0).sum())
    if outside:
        raise DataError(
            f"{where}: {outside} of {actions.size} action entries are outside [-1, 1] "
            f"(range {actions.min():.4g} to {actions.max():.4g})",
            "give the range that the actuators have, {action_range}; or {clip} if the simulator "
            "clipped them when they were recorded",
            action_range=("LOW", "HIGH"),
            clip=True,
        )
