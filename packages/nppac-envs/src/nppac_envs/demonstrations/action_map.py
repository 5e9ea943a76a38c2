"""Demonstrations whose actions were recorded in one environment, in another's units of action."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.errors import DataError


def with_bounds_of(
    demonstrations: Demonstrations, bounds: NDArray[np.float64] | None, environment: str
) -> Demonstrations:
    """The same demonstrations, with -1 and 1 standing for what they do in an environment.

    Args:
        demonstrations: As they are where they do not know what they were recorded in.
        bounds: (2, A) of the environment, as `nppac_envs.foreign.adapted.action_bounds` gives them;
            None where [-1, 1] are its own units.
        environment: Its name, for the message.

    Returns:
        Their actions with the same physical values; `n_rescaled` counts the entries that changed.

    Raises:
        DataError: Some of these values are outside the environment's bounds, or they have another
            number of dimensions.
    """
    theirs = demonstrations.action_bounds
    if theirs is None:
        return demonstrations
    ours = np.stack([-np.ones(len(theirs[0])), np.ones(len(theirs[0]))])
    ours = ours if bounds is None else bounds
    if ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-6, atol=0.0):
        return demonstrations
    said = (
        f"{demonstrations.source}: its actions -1 and 1 stand for {_shown(theirs)}, those of "
        f"{environment} for {_shown(ours)}"
    )
    mapped = np.empty_like(demonstrations.actions)
    if ours.shape == theirs.shape:
        physical = theirs[0] + (demonstrations.actions + 1.0) / 2.0 * (theirs[1] - theirs[0])
        share = (physical - ours[0]) / (ours[1] - ours[0])
        mapped = (2.0 * share - 1.0).astype(np.float32)
        # What is at a bound of both lands on it, though float32 may round to beyond.
        mapped = np.where(np.abs(np.abs(mapped) - 1.0) < 1e-6, np.sign(mapped), mapped)
    outside = int((np.abs(mapped) > 1.0).sum())
    if outside or ours.shape != theirs.shape:
        count = f", so that {outside:,} of {mapped.size:,} action entries are outside these"
        raise DataError(
            said + (count if ours.shape == theirs.shape else ""),
            "use the environment of the recording; or {action_range} if it has the same actuators "
            "in other units",
            action_range=(-1, 1),
        )
    changed = int((mapped != demonstrations.actions).sum())
    return dataclasses.replace(
        demonstrations,
        actions=mapped,
        n_rescaled=demonstrations.n_rescaled + changed,
        action_bounds=None if bounds is None else bounds,
    )


def bounds_in_words(demonstrations: Demonstrations) -> str | None:
    """What -1 and 1 stand for, for people; None where that is not known."""
    bounds: Any = demonstrations.action_bounds
    return None if bounds is None else _shown(bounds)


def _shown(bounds: NDArray[np.float64]) -> str:
    low, high = (", ".join(f"{x:.6g}" for x in end[:8]) for end in bounds)
    more = ", ..." if bounds.shape[1] > 8 else ""
    return f"({low}{more}) and ({high}{more})"
