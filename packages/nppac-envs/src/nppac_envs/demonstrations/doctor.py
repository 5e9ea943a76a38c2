"""`examine`: what is wrong or remarkable about a set of demonstrations, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.action_findings import (
    mapped_range,
    narrow,
    out_of_range,
    saturation,
)
from nppac_envs.demonstrations.config import DemonstrationsConfig, as_loaded, rescale
from nppac_envs.demonstrations.dataset import REWARDS, Demonstrations
from nppac_envs.demonstrations.evidence import boundaries, regular_length
from nppac_envs.demonstrations.findings import Finding, Options, episode_list, leaving_out, spanning
from nppac_envs.demonstrations.operations import episode_successes
from nppac_envs.demonstrations.readings import (
    MANY,
    RANGES,
    far_out,
    far_out_episodes,
    in_words,
    lost_in_float32,
)
from nppac_envs.demonstrations.repairs import repeats
from nppac_envs.demonstrations.success_rules import SUCCESS_RULES, judges, rule_successes
from nppac_envs.errors import EndsError, EpisodesError

LEVELS = ("error", "warning", "note")
"""Of findings, in the order in which they are told."""
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
    if "source_range" in stored:
        findings += mapped_range(stored["source_range"])
    if finite.any():
        if (bounds := config.mapped_range()) is not None:
            arrays["actions"] = rescale(arrays["actions"], *bounds, config.where())
        outside = np.abs(arrays["actions"]) > 1.0
        whole_range = spanning(stored["actions"])
        findings += out_of_range(arrays, outside, whole_range, kept, config.clips())
        arrays["actions"] = np.clip(np.nan_to_num(arrays["actions"]), -1.0, 1.0)
        whole: dict[str, Any] = {name: np.nan_to_num(array) for name, array in arrays.items()}
        demonstrations = Demonstrations(**whole, source=config.where()).select(
            np.flatnonzero(finite)
        )
        numbers = kept[finite]
        findings += narrow(config, stored, demonstrations.actions, bool(outside.any()))
        findings += boundaries(demonstrations, numbers)
        findings += _failures(demonstrations, numbers, task)
        findings += _lengths(demonstrations, numbers, excluded)
        if config.clips() or not outside.any():  # else they are clipped for this examination alone
            clipped = bool(outside.any())
            findings += saturation(demonstrations, numbers, stored["actions"], clipped)
        findings += _duplicated_states(demonstrations, numbers)
        findings += _duplicated_episodes(demonstrations, numbers, excluded)
        findings += _far_out(demonstrations, numbers, excluded)
        states = stored["states"][np.repeat(finite, arrays["episode_lengths"])]
        lost = list(lost_in_float32(states))
        findings += _lost(lost, states)
        findings += _dead_dimensions(demonstrations, {dimension for dimension, _, _ in lost})
        if task in SUCCESS_RULES:
            findings += _rule(demonstrations, numbers, task)
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


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
            (leaving_out(error.episodes, set(config.exclude)),),
        )
        config = config.model_copy(update={"exclude": tuple(sorted(left_out))})
        findings = [finding]
        return config, config.stored(findings.append), findings
    except EndsError as error:
        if (length := regular_length(error.states)) is None:
            raise
        findings = [Finding("error", "unknown ends", error.message, ({"episode_length": length},))]
        config = config.model_copy(update={"episode_length": length})
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
        usable = all(np.isfinite(arrays[n]).all() for n in names if n in arrays and n != "rewards")
        yield Finding(
            "error",
            "not finite",
            f"numbers that are NaN, infinite or beyond float32 ({shown}) in {episode_list(bad)}",
            (
                *([{"drop_rewards": True}] if usable else []),
                *([leaving_out(bad, excluded)] if len(bad) < len(kept) else []),
            ),
        )


def _failures(
    demonstrations: Demonstrations, numbers: NDArray[Any], task: str | None
) -> Iterator[Finding]:
    ever = episode_successes(demonstrations)
    if ever is None:
        names = judges(demonstrations.state_dim, demonstrations.action_dim, task)
        remedies = tuple({"judge": name} for name in names)
        yield Finding("note", "success", "success is not recorded", remedies)
    elif not ever.all():
        yield Finding(
            "warning",
            "failed episodes",
            f"{ever.sum()} of {ever.size} episodes succeed; {episode_list(numbers[~ever])} "
            f"{'do' if (~ever).sum() > 1 else 'does'} not",
            ({"only_successful": True},) if ever.any() else (),
        )


def _lengths(
    demonstrations: Demonstrations, numbers: NDArray[Any], excluded: set[int]
) -> Iterator[Finding]:
    lengths = demonstrations.episode_lengths
    odd = np.zeros(len(lengths), np.bool_)
    median = np.median(lengths)
    while True:  # without them the median is another, by which others may be odd
        usual = np.median(lengths[~odd])
        more = ~odd & ((lengths < usual / 4) | (lengths > usual * 4))
        if not more.any():
            break
        odd |= more
    if odd.any():
        yield Finding(
            "warning",
            "odd lengths",
            f"{episode_list(numbers[odd])}: {lengths[odd].min()} to {lengths[odd].max()} steps, "
            f"and the median is {median:g}",
            (leaving_out(numbers[odd], excluded),),
        )


def _duplicated_states(demonstrations: Demonstrations, numbers: NDArray[Any]) -> Iterator[Finding]:
    same = repeats(demonstrations)
    if same.any():
        share = same.sum() / max(len(same) - 1, 1)
        owner = _owner(demonstrations.episode_lengths)
        yield Finding(
            "warning" if share > _DUPLICATE_SHARE else "note",
            "duplicated states",
            f"{same.sum():,} states equal the one before them ({share:.1%}) in "
            f"{episode_list(numbers[np.unique(owner[same])])}",
            ({"drop_repeats": True},),
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
            (leaving_out(equal, excluded),),
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
    places = np.stack([numbers[owner], steps], axis=1)
    told = f"state readings over {RANGES:g} interquartile ranges from the median: "
    told += in_words(far, demonstrations.states, places)
    having = len(np.unique(owner[far.any(axis=1)]))
    if having >= MANY and having > len(numbers) / 4:
        yield Finding("note", "spikes", f"{told}, in {having} of {len(numbers)} episodes")
        return
    episodes = numbers[far_out_episodes(demonstrations.states, owner)]
    yield Finding(
        "warning",
        "far out",
        told,
        (leaving_out(episodes, excluded),) if len(episodes) < len(numbers) else (),
    )


def _lost(lost: list[tuple[int, int, int]], states: NDArray[Any]) -> Iterator[Finding]:
    for dimension, distinct, kept in lost:
        yield Finding(
            "warning",
            "lost in float32",
            f"state dimension {dimension} has {distinct:,} distinct values in the file and "
            f"{kept:,} in float32, in which states are kept (near {states[0, dimension]:.6g})",
        )


def _shown(indices: Sequence[int] | NDArray[Any]) -> str:
    return ", ".join(map(str, indices[:12])) + (", ..." if len(indices) > 12 else "")


def _rule(demonstrations: Demonstrations, numbers: NDArray[Any], task: str) -> Iterator[Finding]:
    recorded = demonstrations.recorded_successes
    ruled = demonstrations.judged(task).successes
    if recorded is None or ruled is None or (recorded == ruled).all():
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
            ({"judge": task, **_rewards(demonstrations, recorded)},),
        )
        return
    yield Finding(
        "warning",
        "success rule",
        f"recorded success and the rule of {task!r} ({SUCCESS_RULES[task].text}) differ at "
        f"{(recorded != ruled).sum():,} of {len(ruled):,} steps in "
        f"{episode_list(numbers[episodes])}; {ever[0]} episodes succeed by the record, {ever[1]} "
        "by the rule",
        ({"judge": task},),
    )


def _rewards(demonstrations: Demonstrations, recorded: NDArray[np.bool_]) -> Options:
    """How rewards that follow from the recorded success follow from another."""
    rewards = demonstrations.rewards
    for name, (failure, success) in REWARDS.items():
        if rewards is not None and (rewards == np.where(recorded, success, failure)).all():
            return {"rewards": name}
    return {}
