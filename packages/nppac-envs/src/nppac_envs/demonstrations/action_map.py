"""What -1 and 1 stand for, in the environment of a recording or in the numbers of its file.

Actions that were recorded in one environment come to stand in another's units. What was mapped from
a range that somebody gave keeps that range, which is compared with the environment's.
"""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.errors import DataError

logger = logging.getLogger(__name__)


def with_bounds_of(
    demonstrations: Demonstrations, bounds: NDArray[np.float64] | None, environment: str
) -> Demonstrations:
    """The same demonstrations, with -1 and 1 standing for what they do in an environment.

    Args:
        demonstrations: As they are where they do not know what they were recorded in; where they
            were mapped from another range than the environment's, that is logged.
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
        different = another_range(demonstrations.source_range, bounds, environment)
        if different is not None:
            logger.warning("%s: %s", demonstrations.source, different)
        return demonstrations
    ours = np.stack([-np.ones(len(theirs[0])), np.ones(len(theirs[0]))])
    ours = ours if bounds is None else bounds
    if same_bounds(ours, theirs):
        return demonstrations
    said = (
        f"{demonstrations.source}: its actions -1 and 1 stand for {bounds_in_words(theirs)}, those "
        f"of {environment} for {bounds_in_words(ours)}"
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


def another_range(
    source_range: NDArray[np.float64] | None, bounds: NDArray[np.float64] | None, environment: str
) -> str | None:
    """That actions were mapped from another range than an environment's, for people.

    Args:
        source_range: (2, A) of the demonstrations.
        bounds: As for `with_bounds_of`.
        environment: Its name.

    Returns:
        None where one of the two is not known, or they are the same.
    """
    if source_range is None or bounds is None or same_bounds(source_range, bounds):
        return None
    return (
        f"its actions were mapped onto [-1, 1] from {bounds_in_words(source_range)}, and in "
        f"{environment} -1 and 1 stand for {bounds_in_words(bounds)}: right only if these are the "
        "same actuators in other units"
    )


def range_mapped(
    ends: NDArray[np.float64], before: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    """What -1 and 1 stand for when stored actions from one end to the other are mapped onto these.

    Args:
        ends: (2, A), in the numbers that are stored.
        before: (2, A) what -1 and 1 stand for in these numbers; None where it is not known.

    Returns:
        (2, A) in the units of `before`; in the stored numbers where there are none, or None if
        they are taken as they are.
    """
    if before is not None:
        return before[0] + (ends + 1.0) / 2.0 * (before[1] - before[0])
    return None if ((ends[0] == -1.0) & (ends[1] == 1.0)).all() else ends


def range_to_map(
    wanted: NDArray[np.float64], before: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """The ends (2, A), in stored numbers, of which `range_mapped` makes `wanted`."""
    if before is None:
        return wanted
    return 2.0 * (wanted - before[0]) / (before[1] - before[0]) - 1.0


def same_bounds(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether bounds (2, A) are the same but for rounding."""
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-6, atol=0.0)


def bounds_in_words(bounds: NDArray[np.float64]) -> str:
    """What -1 and 1 stand for, of (2, A), for people."""
    low, high = (", ".join(f"{x:.6g}" for x in end[:8]) for end in bounds)
    more = ", ..." if bounds.shape[1] > 8 else ""
    return f"({low}{more}) and ({high}{more})"
