"""The layouts in which people keep episodes as arrays, turned into that of `Demonstrations`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.checks import check_lengths
from nppac_envs.demonstrations.dataset import PER_EPISODE, PER_SET
from nppac_envs.demonstrations.flat_steps import ends_of_length, without_last_steps
from nppac_envs.errors import DataError, EndsError

FLAGS = ("terminations", "terminals", "timeouts", "dones", "episode_starts", "mask")
_ENDS = ("terminals", "timeouts", "dones")
_KEPT = (
    "states",
    "actions",
    "final_states",
    "rewards",
    "successes",
    "terminations",
    "moved_successes",
    *PER_SET,
)

Arrays = dict[str, NDArray[Any]]


def from_layout(
    arrays: Arrays, where: str, exclude: Collection[int], episode_length: int | None, there: str
) -> Arrays:
    """The arrays of `Demonstrations`, of any layout that the field map of npz files can name.

    Args:
        arrays: By the names of `NpzFields`: end to end, or padded to one length.
        where: Named in messages.
        exclude: Episodes that will be left out.
        episode_length: Steps of every episode, if that was given.
        there: The arrays that the file has, for messages.

    Raises:
        DataError: It is not known where episodes end, or shapes do not fit.
    """
    if arrays["states"].ndim == 3 or arrays["actions"].ndim == 3:
        arrays = _unpadded(arrays, where, there)
    steps = len(np.atleast_1d(arrays["actions"]))
    lengths = _lengths(arrays, steps, where, episode_length, there)
    kept = {name: arrays[name] for name in _KEPT if name in arrays} | {"episode_lengths": lengths}
    if "final_states" in arrays:
        return kept
    states = np.atleast_1d(arrays["states"])
    more = lengths.dtype.kind in "iu" and len(states) == steps + lengths.size
    if not more and "next_states" not in arrays:
        return without_last_steps(kept, where, exclude)
    check_lengths(lengths, steps, where)
    last = np.cumsum(lengths) - 1
    if more:
        finals = np.cumsum(lengths + 1) - 1
        kept |= {"final_states": states[finals], "states": np.delete(states, finals, axis=0)}
    else:
        if len(arrays["next_states"]) != steps:
            raise DataError(
                f"{where}: next_states have shape {arrays['next_states'].shape}, expected a row "
                f"for each of {steps} steps"
            )
        kept["final_states"] = arrays["next_states"][last]
    if "terminals" in arrays and "terminations" not in kept:
        kept["terminations"] = np.ravel(arrays["terminals"])[last].astype(np.bool_)
    return kept


def _lengths(
    arrays: Arrays, steps: int, where: str, episode_length: int | None, there: str
) -> NDArray[Any]:
    """(E,) steps of each episode, from the first of the ways to know that the file has."""
    if episode_length is not None:
        return np.diff(ends_of_length(episode_length, steps, where), prepend=0)
    if "episode_lengths" in arrays:
        return arrays["episode_lengths"]
    flags = {name: np.ravel(arrays[name]) for name in (*_ENDS, "episode_starts") if name in arrays}
    for name, values in flags.items():
        if len(values) != steps:
            raise DataError(f"{where}: {name} has {len(values)} flags for {steps} steps")
    if "episode_starts" in flags:
        starts = np.flatnonzero(flags["episode_starts"])
        if not starts.size or starts[0] != 0:
            raise DataError(f"{where}: episode_starts must mark the first step")
        return np.diff(np.append(starts, steps))
    ends = np.zeros(steps, np.bool_)
    for name in _ENDS:
        ends |= flags.get(name, ends).astype(np.bool_)
    if not ends.any():
        marks = (
            f"no step is marked in {' or '.join(flags)}"
            if flags
            else (
                "has no array 'episode_lengths' (one episode is [N]), nor dones, timeouts or "
                "episode_starts"
            )
        )
        raise EndsError(
            f"{where}: {marks}, so the ends of its episodes are not known; it has {there}",
            "write one of them, or give the length that all episodes have: {episode_length}",
            arrays["states"],
            episode_length=("N",),
        )
    ends[-1] = True
    return np.diff(np.flatnonzero(ends) + 1, prepend=0)


def _unpadded(arrays: Arrays, where: str, there: str) -> Arrays:
    """Episodes end to end from states (E, T, S) or (E, T + 1, S) and actions (E, T, A)."""
    states, actions = arrays["states"], arrays["actions"]
    if states.ndim != 3 or actions.ndim != 3 or len(states) != len(actions):
        raise DataError(
            f"{where}: states have shape {states.shape} and actions {actions.shape}; padded ones "
            "are (episodes, steps, S) and (episodes, steps, A)"
        )
    episodes, width = actions.shape[:2]
    lengths = _padded_lengths(arrays, where, there)
    valid = np.arange(width) < lengths[:, None]
    flat: Arrays = {}
    if states.shape[1] == width + 1:
        flat["final_states"] = states[np.arange(episodes), lengths]
        states = states[:, :-1]
    for name, array in {**arrays, "states": states}.items():
        if name in (*PER_EPISODE, *PER_SET):
            flat[name] = array
        elif name != "mask":
            if array.shape[:2] != (episodes, width):
                raise DataError(
                    f"{where}: {name} has shape {array.shape}, expected ({episodes}, {width}, ...)"
                )
            rows = array[valid]
            flat[name] = rows if name in ("states", "actions", "next_states") else rows.ravel()
    return flat | {"episode_lengths": lengths}


def _padded_lengths(arrays: Arrays, where: str, there: str) -> NDArray[np.int64]:
    """(E,) steps that are no padding."""
    actions = arrays["actions"]
    episodes, width = actions.shape[:2]
    if "episode_lengths" in arrays:
        lengths = arrays["episode_lengths"]
    elif "mask" in arrays:
        mask = np.reshape(arrays["mask"], (episodes, -1))
        lengths = mask.sum(axis=1).astype(np.int64)
        if mask.shape[1] != width or (mask != (np.arange(width) < lengths[:, None])).any():
            raise DataError(f"{where}: mask must be ({episodes}, {width}), true up to an end")
    else:
        tail = np.nan_to_num(actions[:, -2:]), np.nan_to_num(arrays["states"][:, -2:])
        if any((rows == rows[:, :1]).all(axis=(1, 2)).any() for rows in tail):
            raise DataError(
                f"{where}: some episodes end in rows that are all the same, which looks like "
                f"padding; it has {there}",
                "name the mask (E, T) that is true where a step is no padding, {fields}, or write "
                "it or episode_lengths (E,) too",
                fields={"mask": "THEIRS"},
            )
        lengths = np.full(episodes, width)
    whole = lengths.shape == (episodes,) and lengths.dtype.kind in "iu"
    if not whole or lengths.min() < 1 or lengths.max() > width:
        raise DataError(
            f"{where}: episode_lengths must be {episodes} whole numbers from 1 to {width}"
        )
    return lengths.astype(np.int64)
