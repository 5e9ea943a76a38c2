"""Demonstrations from demonstrations: only successful ones, a random few, several sets as one.

`Demonstrations` itself has `take`, `select`, `split`, `folds`, `judged` and `relabelled`; clipping
and rescaling of actions belong to loading (`DemonstrationsConfig`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.action_map import bounds_in_words, same_bounds
from nppac_envs.demonstrations.dataset import PER_SET, Demonstrations
from nppac_envs.errors import DataError


def episode_successes(demonstrations: Demonstrations) -> NDArray[np.bool_] | None:
    """(E,) whether any step of an episode was recorded as a success; None where unknown."""
    flags = demonstrations.recorded_successes
    if flags is None:
        return None
    lengths = demonstrations.episode_lengths
    return np.logical_or.reduceat(flags, np.cumsum(lengths) - lengths)


def successful(demonstrations: Demonstrations) -> Demonstrations:
    """The episodes with a success at any step, in their order.

    Raises:
        DataError: No success was recorded, or no episode has one.
    """
    ever = episode_successes(demonstrations)
    if ever is None:
        raise DataError(
            f"{demonstrations.source}: has neither success flags nor rewards of two values; "
            "decide success by a task's rule first (judged)"
        )
    if not ever.any():
        raise DataError(f"{demonstrations.source}: none of the {ever.size} episodes is successful")
    return demonstrations.select(np.flatnonzero(ever))


def sample(
    demonstrations: Demonstrations, n_episodes: int, rng: np.random.Generator
) -> Demonstrations:
    """`n_episodes` episodes drawn without replacement, in their order.

    Raises:
        DataError: There are fewer, or none is asked for.
    """
    if not 1 <= n_episodes <= demonstrations.n_episodes:
        raise DataError(
            f"{demonstrations.source}: cannot draw {n_episodes} episodes; "
            f"there are {demonstrations.n_episodes}"
        )
    drawn = rng.choice(demonstrations.n_episodes, n_episodes, replace=False)
    return demonstrations.select(np.sort(drawn))


def concatenate(sets: Sequence[Demonstrations]) -> Demonstrations:
    """Several sets of one task as one, the episodes in the order given.

    Rewards, successes and bounds of actions are kept if every set has them, the range that actions
    were mapped from if it is the same in all; an episode of a set without terminations did not end
    in a terminal state.

    Raises:
        DataError: There is no set, or states or actions have different sizes, or their actions
            stand for different things.
    """
    if not sets:
        raise DataError("there are no sets to concatenate")
    first = sets[0]
    for other in sets[1:]:
        sizes = [(s.state_dim, s.action_dim) for s in (first, other)]
        if sizes[0] != sizes[1]:
            raise DataError(
                f"{other.source} has (state, action) dimensions {sizes[1]}, but {first.source} "
                f"has {sizes[0]}; only sets of one task can be concatenated"
            )
        theirs, ours = other.action_bounds, first.action_bounds
        if theirs is not None and ours is not None and not same_bounds(theirs, ours):
            raise DataError(
                f"{other.source} has actions -1 and 1 that stand for {bounds_in_words(theirs)}, "
                f"those of {first.source} for {bounds_in_words(ours)}; record them in one "
                "environment",
            )
    arrays: list[dict[str, NDArray[Any]]] = [s.arrays() for s in sets]
    for name in ("terminations", "moved_successes"):
        if any(name in of for of in arrays):
            for of in arrays:
                of.setdefault(name, np.zeros(len(of["episode_lengths"]), np.bool_))
    ranges = [of.pop("source_range", None) for of in arrays]
    common = set.intersection(*(set(of) for of in arrays))
    joined = {name: np.concatenate([of[name] for of in arrays]) for name in common - {*PER_SET}}
    return Demonstrations(
        **joined,
        **{name: arrays[0][name] for name in common & {*PER_SET}},
        source_range=_shared(ranges),
        source=" + ".join(s.source for s in sets),
        n_clipped=sum(s.n_clipped for s in sets),
        n_rescaled=sum(s.n_rescaled for s in sets),
    )


def _shared(ranges: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    """The range of all sets, if it is one and the same."""
    first, *others = ranges
    if first is None or any(of is None or not same_bounds(first, of) for of in others):
        return None
    return first
