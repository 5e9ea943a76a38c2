"""`examine`: what is wrong or remarkable about a set of demonstrations, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.config import DemonstrationsConfig, as_loaded, rescale
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.evidence import boundaries, narrow_actions
from nppac_envs.demonstrations.findings import Finding, episode_list, exclude_option
from nppac_envs.demonstrations.operations import episode_successes
from nppac_envs.demonstrations.readings import RANGES, far_out, in_words, lost_in_float32
from nppac_envs.demonstrations.success_rules import SUCCESS_RULES, rule_successes
from nppac_envs.errors import EpisodesError

SATURATED = 0.999
"""An action entry this large or larger, in absolute value, is at its bound."""
_MANY_SATURATED = 0.1
_DUPLICATE_SHARE = 0.01


def examine(config: DemonstrationsConfig, task: str | None = None) -> list[Finding]:
    """Examine a set.

    Args:
        config: The set; actions out of range are found even if it clips them.
        task: Kind of the environment, for its success rule.

    Returns:
        Findings, errors first.

    Raises:
        DataError: The set cannot be read at all, or the task's rule does not fit its states.
    """
    config, stored, findings = _read(config)
    arrays = as_loaded(stored)
    excluded = set(config.exclude)
    # Episodes are named by their numbers in the file, as --exclude takes them.
    kept = np.setdiff1d(np.arange(len(arrays["episode_lengths"]) + len(excluded)), [*excluded])
    findings += _not_finite(arrays, kept, excluded)
    finite = _finite_episodes(arrays)
    if finite.any():
        if (bounds := config.mapped_range()) is not None:
            arrays["actions"] = rescale(arrays["actions"], *bounds, config.where())
        findings += _out_of_range(arrays, kept, config.clips())
        arrays["actions"] = np.clip(np.nan_to_num(arrays["actions"]), -1.0, 1.0)
        whole: dict[str, Any] = {name: np.nan_to_num(array) for name, array in arrays.items()}
        demonstrations = Demonstrations(**whole, source=config.where()).select(
            np.flatnonzero(finite)
        )
        numbers = kept[finite]
        if bounds is None and not config.clips():
            findings += narrow_actions(demonstrations.actions)
        findings += boundaries(demonstrations, numbers)
        for check in (_failures, _lengths, _saturation, _duplicated_states):
            findings += check(demonstrations, numbers)
        findings += _duplicated_episodes(demonstrations, numbers, excluded)
        findings += _far_out(demonstrations, numbers, excluded)
        states = stored["states"][np.repeat(finite, arrays["episode_lengths"])]
        lost = list(lost_in_float32(states))
        findings += _lost(lost, states)
        findings += _dead_dimensions(demonstrations, {dimension for dimension, _, _ in lost})
        if task in SUCCESS_RULES:
            findings += _rule(demonstrations, numbers, task)
    return sorted(findings, key=lambda finding: ("error", "warning", "note").index(finding.level))


def _read(
    config: DemonstrationsConfig,
) -> tuple[DemonstrationsConfig, dict[str, NDArray[Any]], list[Finding]]:
    """The set without episodes that cannot be read at all, its arrays, and what its reader says."""
    findings: list[Finding] = []
    try:
        return config, config.stored(findings.append), findings
    except EpisodesError as error:
        left_out = {*error.episodes, *config.exclude}
        finding = Finding(
            "error",
            "unusable episodes",
            error.message,
            f"leave them out: {exclude_option(error.episodes, set(config.exclude))}",
        )
        config = config.model_copy(update={"exclude": tuple(sorted(left_out))})
        findings = [finding]
        return config, config.stored(findings.append), findings


def _owner(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(lengths)), lengths)


def _finite_episodes(arrays: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """(E,) whether every number of an episode is finite."""
    lengths = arrays["episode_lengths"]
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(arrays["final_states"]).all(axis=1))
    owner = _owner(lengths)
    for name in ("states", "actions", "rewards"):
        if name in arrays:
            rows = np.isfinite(arrays[name].reshape(len(owner), -1)).all(axis=1)
            finite[np.unique(owner[~rows])] = False
    return finite


def _not_finite(
    arrays: dict[str, NDArray[Any]], kept: NDArray[Any], excluded: set[int]
) -> Iterator[Finding]:
    bad = kept[~_finite_episodes(arrays)]
    if bad.size:
        names = ("states", "actions", "rewards", "final_states")
        counts = [f"{(~np.isfinite(arrays[n])).sum()} in {n}" for n in names if n in arrays]
        shown = ", ".join(count for count in counts if not count.startswith("0 "))
        leave_out = f"leave them out: {exclude_option(bad, excluded)}"
        every = "every episode has some: write the set again without the steps that have them"
        advice = leave_out if len(bad) < len(kept) else every
        if all(np.isfinite(arrays[name]).all() for name in ("states", "actions", "final_states")):
            advice = "--drop-rewards if only states and actions are needed, as by priors" + (
                f"; else {leave_out}" if len(bad) < len(kept) else ""
            )
        yield Finding(
            "error",
            "not finite",
            f"numbers that are NaN or infinite ({shown}) in {episode_list(bad)}",
            advice,
        )


def _out_of_range(
    arrays: dict[str, NDArray[Any]], kept: NDArray[Any], clips: bool
) -> Iterator[Finding]:
    actions = arrays["actions"]
    outside = np.abs(actions) > 1.0
    if outside.any():
        owner = _owner(arrays["episode_lengths"])
        episodes = kept[np.unique(owner[outside.any(axis=1)])]
        low, high = np.nanmin(actions), np.nanmax(actions)
        yield Finding(
            "note" if clips else "error",
            "out of range",
            f"{outside.sum():,} of {actions.size:,} action entries are outside [-1, 1] "
            f"({low:.4g} to {high:.4g}) in {episode_list(episodes)}",
            "they are clipped when the set is read"
            if clips
            else "--action-range LOW HIGH with the range that the actuators have; --clip if the "
            "simulator clipped them when they were recorded",
        )


def _failures(demonstrations: Demonstrations, numbers: NDArray[Any]) -> Iterator[Finding]:
    ever = episode_successes(demonstrations)
    if ever is None:
        yield Finding(
            "note",
            "success",
            "success is not recorded",
            "decide it by a task's rule: --judge TASK "
            f"({', '.join(SUCCESS_RULES)}), or say nothing of it",
        )
    elif not ever.all():
        yield Finding(
            "warning",
            "failed episodes",
            f"{ever.sum()} of {ever.size} episodes succeed; {episode_list(numbers[~ever])} "
            f"{'do' if (~ever).sum() > 1 else 'does'} not",
            "look at them (nppac-demos video); --only-successful leaves them out",
        )


def _lengths(demonstrations: Demonstrations, numbers: NDArray[Any]) -> Iterator[Finding]:
    lengths = demonstrations.episode_lengths
    odd = (lengths < np.median(lengths) / 4) | (lengths > np.median(lengths) * 4)
    if odd.any():
        yield Finding(
            "warning",
            "odd lengths",
            f"{episode_list(numbers[odd])}: {lengths[odd].min()} to {lengths[odd].max()} steps, "
            f"and the median is {np.median(lengths):g}",
            "look whether they were cut or run together; --exclude leaves them out",
        )


def _saturation(demonstrations: Demonstrations, numbers: NDArray[Any]) -> Iterator[Finding]:
    saturated = np.abs(demonstrations.actions) >= SATURATED
    if saturated.mean() > _MANY_SATURATED:
        by_dimension = saturated.mean(axis=0)
        worst = np.argsort(-by_dimension)[:3]
        owner = _owner(demonstrations.episode_lengths)
        shares = np.array([saturated[owner == e].mean() for e in range(len(numbers))])
        shown = ", ".join(f"{i} ({by_dimension[i]:.0%})" for i in worst)
        yield Finding(
            "warning",
            "saturated actions",
            f"{saturated.mean():.1%} of action entries are at -1 or 1; most in action dimensions "
            f"{shown}; from {shares.min():.0%} to {shares.max():.0%} an episode, most in "
            f"{episode_list([numbers[int(shares.argmax())]])}",
            "a Gaussian prior cannot follow hard bounds; check --action-range, or that the "
            "controller was not saturated",
        )


def _duplicated_states(demonstrations: Demonstrations, numbers: NDArray[Any]) -> Iterator[Finding]:
    states = demonstrations.states
    owner = _owner(demonstrations.episode_lengths)
    same = (states[1:] == states[:-1]).all(axis=1) & (owner[1:] == owner[:-1])
    if same.any():
        share = same.mean()
        yield Finding(
            "warning" if share > _DUPLICATE_SHARE else "note",
            "duplicated states",
            f"{same.sum():,} states equal the one before them ({share:.1%}) in "
            f"{episode_list(numbers[np.unique(owner[1:][same])])}",
            "sensors that were read slower than actions were sent, or an idle start; cut them",
        )


def _duplicated_episodes(
    demonstrations: Demonstrations, numbers: NDArray[Any], excluded: set[int]
) -> Iterator[Finding]:
    owner = _owner(demonstrations.episode_lengths)
    rows = np.hstack([demonstrations.states, demonstrations.actions])
    seen: dict[bytes, int] = {}
    equal: dict[int, int] = {}
    for episode, number in enumerate(numbers.tolist()):
        first = seen.setdefault(rows[owner == episode].tobytes(), number)
        if first != number:
            equal[number] = first
    if equal:
        shown = [f"episode {number} equals episode {first}" for number, first in equal.items()]
        yield Finding(
            "warning",
            "duplicated episodes",
            "; ".join(shown[:8]) + ("; ..." if len(shown) > 8 else ""),
            exclude_option(equal, excluded),
        )


def _dead_dimensions(demonstrations: Demonstrations, lost: set[int]) -> Iterator[Finding]:
    """Those that never change, but for state dimensions that only do not change in float32."""
    for name in ("states", "actions"):
        rows = getattr(demonstrations, name)
        dead = np.flatnonzero((rows == rows[0]).all(axis=0))
        dead = np.setdiff1d(dead, [*lost]) if name == "states" else dead
        if dead.size and len(rows) > 1:
            yield Finding(
                "note" if name == "states" else "warning",
                f"dead {name}",
                f"{dead.size} of {rows.shape[1]} {name[:-1]} dimensions never change: "
                f"{_shown(dead)}",
                "a prior learns nothing from them; they are harmless if they are always so"
                if name == "states"
                else "check the field map and the units: nothing was done with them",
            )


def _far_out(
    demonstrations: Demonstrations, numbers: NDArray[Any], excluded: set[int]
) -> Iterator[Finding]:
    lengths = demonstrations.episode_lengths
    owner = _owner(lengths)
    far = far_out(demonstrations.states, owner)
    if not far.any():
        return
    steps = np.arange(len(owner)) - (np.cumsum(lengths) - lengths)[owner]
    episodes = numbers[np.unique(owner[far.any(axis=1)])]
    correct = "put right values there, since one reading ruins the scale of its dimension"
    yield Finding(
        "warning",
        "far out",
        f"state readings over {RANGES:g} interquartile ranges from the median: "
        + in_words(far, demonstrations.states, np.stack([numbers[owner], steps], axis=1)),
        correct
        if len(episodes) == len(numbers)
        else f"{correct}, or {exclude_option(episodes, excluded)}",
    )


def _lost(lost: list[tuple[int, int, int]], states: NDArray[Any]) -> Iterator[Finding]:
    for dimension, distinct, kept in lost:
        yield Finding(
            "warning",
            "lost in float32",
            f"state dimension {dimension} has {distinct:,} distinct values in the file and "
            f"{kept:,} in float32, in which states are kept (near {states[0, dimension]:.6g})",
            "subtract its start, or an offset that is the same everywhere, and write the set again",
        )


def _shown(indices: Sequence[int] | NDArray[Any]) -> str:
    return ", ".join(map(str, indices[:12])) + (", ..." if len(indices) > 12 else "")


def _rule(demonstrations: Demonstrations, numbers: NDArray[Any], task: str) -> Iterator[Finding]:
    recorded = demonstrations.recorded_successes
    following = demonstrations.transitions()["next_states"]
    ruled = rule_successes(task, following, demonstrations.source)
    if recorded is None or (recorded == ruled).all():
        return
    owner = _owner(demonstrations.episode_lengths)
    episodes = np.unique(owner[recorded != ruled])
    ever = [np.unique(owner[flags]).size for flags in (recorded, ruled)]
    before = rule_successes(task, demonstrations.states, demonstrations.source)
    if (recorded == before).all():
        yield Finding(
            "error",
            "shifted success",
            "success is recorded one step late: it fits the state that an action was taken in",
            "it must fit the state that the action led to: move rewards and successes up one row",
        )
        return
    yield Finding(
        "warning",
        "success rule",
        f"recorded success and the rule of {task!r} ({SUCCESS_RULES[task].text}) differ at "
        f"{(recorded != ruled).sum():,} of {len(ruled):,} steps in "
        f"{episode_list(numbers[episodes])}; {ever[0]} episodes succeed by the record, {ever[1]} "
        "by the rule",
        f"trust one of them: --judge {task} takes the rule",
    )
