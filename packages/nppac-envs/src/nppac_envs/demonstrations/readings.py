"""What `doctor` says of single readings: those that float32 loses, and those that lie far out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

RANGES = 20.0
"""A reading this many interquartile ranges from the median of its dimension lies far out."""
_FEW = 0.01
"""Share of rows up to which readings far out are glitches; more are the dimension's own shape."""
MANY = 4
"""Episodes with readings far out from which on they are the set's own, if a quarter has some."""
_SHOWN = 4


def lost_in_float32(states: NDArray[Any]) -> Iterator[tuple[int, int, int]]:
    """Dimensions that lose more than half of their distinct values as float32.

    Args:
        states: (N, S), finite, as they are stored.

    Yields:
        The dimension, and its distinct values before and after.
    """
    if states.dtype.kind not in "iu" and states.dtype != np.float64:
        return
    for dimension in range(states.shape[1]):
        values = states[:, dimension].astype(np.float64)
        # Half of a unit in the last place, against the spread: most dimensions end here.
        if np.abs(values).max() * 2.0**-24 < 1e-4 * np.ptp(values):
            continue
        distinct = len(np.unique(values))
        kept = len(np.unique(values.astype(np.float32)))
        if kept * 2 < distinct:
            yield dimension, distinct, kept


def far_out(states: NDArray[np.float32], owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N, S) readings that jump over `RANGES` interquartile ranges away from their dimension.

    They are as far from its median, and from the reading before or after them in their episode
    (`owner` has the episode of each row): what moves there step by step has been there. Dimensions
    half of whose values are one and the same have no such range, and those with many such readings
    have no glitches: nothing of either.
    """
    low, middle, high = np.quantile(states.astype(np.float64), (0.25, 0.5, 0.75), axis=0)
    spread = high - low
    far = np.abs(states - middle) > RANGES * spread
    jumps = np.abs(np.diff(states.astype(np.float64), axis=0)) > RANGES * spread
    jumps &= (owner[1:] == owner[:-1])[:, None]
    far[1:-1] &= jumps[1:] | jumps[:-1]
    far[:1] &= jumps[:1]
    far[-1:] &= jumps[-1:]
    return far & (spread > 0) & (far.mean(axis=0) <= _FEW)


def far_out_episodes(states: NDArray[np.float32], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """The episodes with readings far out, and those that have some once these are left out.

    Args:
        states: (N, S).
        owner: (N,) the episode of each row.
    """
    bad = np.empty(0, np.int64)
    while True:
        kept = ~np.isin(owner, bad)
        far = (
            far_out(states[kept], owner[kept]).any(axis=1) if kept.any() else np.empty(0, np.bool_)
        )
        if not far.any():
            return bad
        bad = np.union1d(bad, owner[kept][far])


def in_words(far: NDArray[np.bool_], states: NDArray[Any], places: NDArray[np.int64]) -> str:
    """The readings far out with their places, the first few of them.

    Args:
        far: (N, S), from `far_out`.
        states: (N, S).
        places: (N, 2), the episode and the step of each row.
    """
    found = [
        f"dimension {dimension} is {states[row, dimension]:.6g} at episode {places[row, 0]}, "
        f"step {places[row, 1]}"
        for row, dimension in np.argwhere(far)
    ]
    return "; ".join(found[:_SHOWN]) + (f"; {len(found)} in all" if len(found) > _SHOWN else "")
