"""What `doctor` concludes from states alone: that episodes end elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.findings import Finding, cutting, episode_list

JUMP = 12.0
"""A step this many times as long as nine of ten steps is none; 10 occurs where a robot lands."""
_FEW = 0.1


def boundaries(demonstrations: Demonstrations, numbers: NDArray[Any]) -> Iterator[Finding]:
    """Episodes that look like several, and episodes that look like parts of one.

    Args:
        demonstrations: The set.
        numbers: (E,) what to call its episodes.
    """
    rows = demonstrations.transitions()
    scale = demonstrations.states.std(axis=0, dtype=np.float64)
    used = scale > 0
    if len(demonstrations) < 20 or not used.any():
        return
    taken = _distance(rows["states"], rows["next_states"], scale, used)
    usual = float(np.quantile(taken, 0.9))
    owner = np.repeat(np.arange(demonstrations.n_episodes), demonstrations.episode_lengths)
    jumps = np.flatnonzero(taken > JUMP * usual)
    if usual > 0 and jumps.size and jumps.size <= _FEW * len(taken):
        starts = np.cumsum(demonstrations.episode_lengths) - demonstrations.episode_lengths
        places = [(int(numbers[owner[j]]), int(j - starts[owner[j]])) for j in jumps]
        shown = [f"episode {episode}, step {step}" for episode, step in places[:4]]
        yield Finding(
            "warning",
            "jumps",
            f"{jumps.size:,} steps go over {JUMP:g} times as far as nine of ten do: "
            f"{', '.join(shown)}{', ...' if jumps.size > 4 else ''}; episodes may end there",
            (cutting(places),),
        )
    yield from _continued(demonstrations, numbers, usual, scale, used)


def regular_length(states: NDArray[Any]) -> int | None:
    """After how many rows states (N, S) jump, time and again; None if they do not."""
    known = np.nan_to_num(states.reshape(len(states), -1).astype(np.float64))
    scale = known.std(axis=0)
    used = scale > 0
    if len(known) < 20 or not used.any():
        return None
    taken = _distance(known[:-1], known[1:], scale, used)
    jumps = np.flatnonzero(taken > JUMP * np.quantile(taken, 0.9)) + 1
    length = int(np.gcd.reduce(np.append(jumps, len(known))))
    often = 2 * jumps.size >= len(known) // length - 1
    return length if 0 < jumps.size <= _FEW * len(taken) and length > 1 and often else None


def _continued(
    demonstrations: Demonstrations,
    numbers: NDArray[Any],
    usual: float,
    scale: NDArray[np.float64],
    used: NDArray[np.bool_],
) -> Iterator[Finding]:
    """Episodes that begin where the one before them ended, and as they rarely do by chance."""
    first = demonstrations.states[np.cumsum(demonstrations.episode_lengths)[:-1]]
    between = _distance(demonstrations.final_states[:-1], first, scale, used)
    follow = between <= 1.5 * usual
    if follow.sum() < 2 or follow.mean() < 0.5:
        return
    # Where all episodes begin in one place and end there, nothing can be concluded.
    spread = _distance(first, first.mean(axis=0), scale, used)
    if np.median(spread) <= 1.5 * usual:
        return
    yield Finding(
        "warning",
        "cut episodes",
        f"{follow.sum()} of {follow.size} episodes begin where the one before them ended: "
        f"{episode_list(numbers[1:][follow])}",
        ({"join": numbers[1:][follow].tolist()},),
    )


def _distance(
    one: NDArray[Any], other: NDArray[Any], scale: NDArray[np.float64], used: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Of rows, in standard deviations of each dimension."""
    apart = (one.astype(np.float64) - other)[:, used] / scale[used]
    return np.sqrt((apart**2).mean(axis=1))
