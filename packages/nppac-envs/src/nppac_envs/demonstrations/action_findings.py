"""What `doctor` says of actions: their range, and how many are at its ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.action_map import bounds_in_words
from nppac_envs.demonstrations.config import DemonstrationsConfig, action_ends, rescale
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.findings import Finding, Options, episode_list, spanning

NARROW = 0.5
"""Actions in [-1, 1] whose entries all stay below this in absolute value use another range."""
FEEBLE = 0.1
"""An action dimension that goes no further than this share of what half of the dimensions reach may
have a range of its own; in sets of hands and legs it is 0.28 or more, in single episodes 0.18."""
_UNITS = 2.0
"""Actions that go further than this in absolute value have other units than [-1, 1]."""
SATURATED = 0.999
"""An action entry this large or larger, in absolute value, is at its bound."""
_MANY_SATURATED = 0.1


def mapped_range(ends: NDArray[np.float64]) -> Iterator[Finding]:
    """The range (2, A) that a set says its actions were mapped from."""
    text = f"when the set was made its actions were mapped from {bounds_in_words(ends)}"
    yield Finding("note", "mapped range", text)


def out_of_range(
    arrays: dict[str, NDArray[Any]],
    outside: NDArray[np.bool_],
    whole_range: Options,
    kept: NDArray[Any],
    clips: bool,
) -> Iterator[Finding]:
    """Actions outside [-1, 1], an error where nothing clips them.

    Args:
        arrays: As loaded, the range mapped that is to be mapped.
        outside: (N, A) where they are.
        whole_range: What maps onto [-1, 1] all that was recorded.
        kept: (E,) what to call the episodes.
        clips: Whether the set is clipped as it is read.
    """
    actions = arrays["actions"]
    if outside.any():
        lengths = arrays["episode_lengths"]
        owner = np.repeat(np.arange(len(lengths)), lengths)
        episodes = kept[np.unique(owner[outside.any(axis=1)])]
        low, high = np.nanmin(actions), np.nanmax(actions)
        ways: tuple[Options, ...] = {"clip": True}, whole_range
        # What a recorder clips is noise around [-1, 1]; what is far from it has other units.
        ways = ways if max(-low, high) < _UNITS else ways[::-1]
        yield Finding(
            "note" if clips else "error",
            "out of range",
            f"{outside.sum():,} of {actions.size:,} action entries are outside [-1, 1] "
            f"({low:.4g} to {high:.4g}) in {episode_list(episodes)}",
            () if clips else ways,
        )


def narrow(
    config: DemonstrationsConfig,
    stored: dict[str, NDArray[Any]],
    actions: NDArray[np.float32],
    outside: bool,
) -> list[Finding]:
    """Ranges that are evidently not [-1, 1], of all dimensions together or of some.

    Nothing is said of dimensions whose own ranges are known: declared, recorded, or given one by
    one.
    """
    bounds = config.mapped_range()
    found = []
    if bounds is None and not config.clips() and not outside:
        found = [*narrow_actions(actions)]
    given = config.source_range(stored).get("source_range")
    one_by_one = given is not None and bool((given != given[:, :1]).any())
    if found or "action_bounds" in stored or one_by_one or (outside and not config.clips()):
        return found
    ends = action_ends(*(bounds or (-1.0, 1.0)), actions.shape[1], config.where())
    return [*narrow_dimensions(actions, stored["actions"], ends)]


def narrow_actions(actions: NDArray[np.float32]) -> Iterator[Finding]:
    """Whether actions (N, A) within [-1, 1] have evidently another range than [-1, 1]."""
    low, high = actions.min(axis=0), actions.max(axis=0)
    moving = high > low
    if not moving.any():
        return
    span = f"{actions.min():.4g} to {actions.max():.4g}"
    one_sided = moving & ((low >= 0) | (high <= 0))
    if np.abs(actions).max() < NARROW:
        what = f"all action entries are within {span}, far inside [-1, 1]"
    elif one_sided[moving].all():
        what = f"no action dimension has both signs ({span})"
    else:
        return
    yield Finding(
        "warning",
        "narrow actions",
        f"{what}: the range of the actuators may be another one than [-1, 1]",
        (spanning(actions),),
    )


def narrow_dimensions(
    actions: NDArray[np.float32], stored: NDArray[Any], ends: NDArray[np.float64]
) -> Iterator[Finding]:
    """Whether some dimensions have evidently another range than the others.

    Args:
        actions: (N, A) within [-1, 1].
        stored: (N, A) the same, in the numbers of the file.
        ends: (2, A) what of these -1 and 1 are now.
    """
    reach = np.abs(actions).max(axis=0)
    moving = np.ptp(actions, axis=0) > 0
    usual = float(np.median(reach[moving])) if moving.any() else 0.0
    feeble = np.flatnonzero(moving & (reach < FEEBLE * usual))
    if usual < NARROW or not feeble.size:
        return
    low, high = spanning(stored[:, feeble])["action_range"]
    own = ends.copy()
    own[0, feeble], own[1, feeble] = low, high
    several = "s" if feeble.size > 1 else ""
    shown = [f"{i} ({actions[:, i].min():.4g} to {actions[:, i].max():.4g})" for i in feeble[:4]]
    yield Finding(
        "note",
        "narrow dimensions",
        f"action dimension{several} {', '.join(shown)}{', ...' if feeble.size > 4 else ''} go"
        f"{'' if several else 'es'} less than a tenth as far as half of all do ({usual:.4g})",
        ({"action_range": (own[0].tolist(), own[1].tolist())},),
    )


def saturation(
    demonstrations: Demonstrations,
    numbers: NDArray[Any],
    stored: NDArray[Any],
    clipped: bool,
) -> Iterator[Finding]:
    """Actions at their bounds; `stored` are those of the file, some of them beyond if `clipped`."""
    saturated = np.abs(demonstrations.actions) >= SATURATED
    if saturated.mean() > _MANY_SATURATED:
        whole_range = spanning(stored)
        by_dimension = saturated.mean(axis=0)
        worst = np.argsort(-by_dimension)[:3]
        owner = np.repeat(np.arange(len(numbers)), demonstrations.episode_lengths)
        shares = np.array([saturated[owner == e].mean() for e in range(len(numbers))])
        shown = ", ".join(f"{i} ({by_dimension[i]:.0%})" for i in worst)
        yield Finding(
            "warning",
            "saturated actions",
            f"{saturated.mean():.1%} of action entries are at -1 or 1; most in action dimensions "
            f"{shown}; from {shares.min():.0%} to {shares.max():.0%} an episode, most in "
            f"{episode_list([numbers[int(shares.argmax())]])}",
            (whole_range,) if clipped and _is_free(stored, whole_range) else (),
        )


def _is_free(stored: NDArray[Any], whole_range: Options) -> bool:
    """Whether few actions are at their bounds if none is clipped."""
    low, high = whole_range["action_range"]
    whole = rescale(stored.astype(np.float32), low, high, "")
    return bool((np.abs(whole) >= SATURATED).mean() <= _MANY_SATURATED)
