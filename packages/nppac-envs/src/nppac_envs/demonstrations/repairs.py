"""Repairs of where episodes begin and end, and of states that repeat, as `doctor` advises them.

All give a new set, whose steps are some of those of the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.dataset import PER_EPISODE, PER_SET, Demonstrations
from nppac_envs.errors import DataError


def cut(demonstrations: Demonstrations, places: Sequence[tuple[int, int]]) -> Demonstrations:
    """A new episode after each of these steps, which led to no state that was recorded.

    The state of such a step becomes a final state, and its action is dropped; an episode of which
    no step is left is dropped, too.

    Args:
        demonstrations: The set.
        places: Episodes and their steps, both counted from 0.

    Raises:
        DataError: One of them is not there, or no step is left.
    """
    lengths = demonstrations.episode_lengths
    last = np.cumsum(lengths) - 1
    is_cut = np.zeros(len(demonstrations), np.bool_)
    for episode, step in places:
        if not 0 <= episode < len(lengths) or not 0 <= step < lengths[episode]:
            raise DataError(
                f"{demonstrations.source}: there is no step {step} in episode {episode}"
            )
        is_cut[last[episode] - lengths[episode] + 1 + step] = True
    ends = np.union1d(np.flatnonzero(is_cut), last)
    owner = np.searchsorted(last, ends)
    cut_there = is_cut[ends]
    sizes = np.diff(ends, prepend=-1) - cut_there
    some = sizes > 0
    if not some.any():
        raise DataError(f"{demonstrations.source}: no step is left between the cuts")
    finals = np.where(
        cut_there[:, None], demonstrations.states[ends], demonstrations.final_states[owner]
    )
    flags = {name: (of[owner] & ~cut_there)[some] for name, of in _flags(demonstrations)}
    return replace(
        demonstrations,
        **_steps(demonstrations, ~is_cut),
        **flags,
        final_states=finals[some],
        episode_lengths=sizes[some],
    )


def joined(demonstrations: Demonstrations, episodes: Iterable[int]) -> Demonstrations:
    """Each of these episodes as the continuation of the one before it.

    The final state of the one before gives way to the state in which the other begins.

    Raises:
        DataError: One of them is not there, or is the first.
    """
    continues = np.unique(np.fromiter(episodes, np.int64))
    number = demonstrations.n_episodes
    if continues.size and (continues[0] < 1 or continues[-1] >= number):
        raise DataError(
            f"{demonstrations.source}: episodes that continue another must be between 1 and "
            f"{number - 1}; got {continues.tolist()}"
        )
    begins = np.setdiff1d(np.arange(number), continues)
    ends = np.append(begins[1:], number) - 1
    flags: dict[str, Any] = {name: of[ends] for name, of in _flags(demonstrations)}
    return replace(
        demonstrations,
        **flags,
        final_states=demonstrations.final_states[ends],
        episode_lengths=np.add.reduceat(demonstrations.episode_lengths, begins),
    )


def repeats(demonstrations: Demonstrations) -> NDArray[np.bool_]:
    """(N,) whether a step's state is that of the next step of its episode, too."""
    states = demonstrations.states
    same = np.append((states[1:] == states[:-1]).all(axis=1), False)
    same[np.cumsum(demonstrations.episode_lengths) - 1] = False
    return same


def without_repeats(demonstrations: Demonstrations) -> Demonstrations:
    """Of each run of steps in the very same state the last step alone."""
    same = repeats(demonstrations)
    starts = np.cumsum(demonstrations.episode_lengths) - demonstrations.episode_lengths
    lengths = demonstrations.episode_lengths - np.add.reduceat(same.astype(np.int64), starts)
    return replace(demonstrations, **_steps(demonstrations, ~same), episode_lengths=lengths)


def _flags(demonstrations: Demonstrations) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """What is known of the ends of episodes, (E,) each, by name."""
    for name in ("terminations", "moved_successes"):
        if (flags := getattr(demonstrations, name)) is not None:
            yield name, flags


def _steps(demonstrations: Demonstrations, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """The arrays with a row a step, of the steps that are kept."""
    return {
        name: array[kept]
        for name, array in demonstrations.arrays().items()
        if name not in (*PER_EPISODE, *PER_SET)
    }
