"""`nppac-demos inspect`: what is in a set, as tables or JSON."""

from __future__ import annotations

import argparse
import json

import numpy as np
from numpy.typing import NDArray

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.judging import judged
from nppac_envs.cli.source_options import source_configs
from nppac_envs.cli.table import table
from nppac_envs.demonstrations.action_map import bounds_in_words
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.findings import Finding, episode_list
from nppac_envs.demonstrations.operations import episode_successes


def inspect(arguments: argparse.Namespace) -> int:
    """Print a set's summary, its episodes and the ranges of its dimensions."""
    config = source_configs(arguments)[0]
    remarks: list[Finding] = []
    demonstrations = judged(config.load(remarks.append), arguments)
    if arguments.json:
        print(json.dumps(demonstrations.summary() | {"episode": _episodes(demonstrations)}))
        return ExitCode.DONE
    print(overview(demonstrations))
    for remark in remarks:
        print(f"{remark.topic:<14} {remark.text}")
    print("\n" + _episode_table(demonstrations))
    print("\n" + _dimension_table(demonstrations))
    return ExitCode.DONE


def overview(demonstrations: Demonstrations) -> str:
    """The lines that hold for the whole set."""
    d = demonstrations
    lengths = d.episode_lengths
    lines = [
        ("set", d.source),
        ("size", f"{d.n_episodes} episodes, {len(d):,} steps"),
        ("state, action", f"{d.state_dim} and {d.action_dim} dimensions"),
        ("length", f"{lengths.min()} to {lengths.max()}, mean {lengths.mean():.1f}"),
        ("return", _returns_text(d)),
        ("success", _success_text(d)),
    ]
    if d.terminations is not None:
        lines.append(("terminal", f"{d.terminations.sum()} episodes end in a terminal state"))
    for what, changed in (("rescaled", d.n_rescaled), ("clipped", d.n_clipped)):
        if changed:
            lines.append((what, f"{changed:,} of {d.actions.size:,} action entries"))
    for what, ends in (("-1, 1 stand for", d.action_bounds), ("mapped from", d.source_range)):
        if ends is not None:
            lines.append((what, bounds_in_words(ends)))
    lines.append(("hash", d.hash))
    return "\n".join(f"{name:<14} {text}" for name, text in lines)


def _returns(demonstrations: Demonstrations) -> NDArray[np.float64] | None:
    if demonstrations.rewards is None:
        return None
    lengths = demonstrations.episode_lengths
    starts = np.cumsum(lengths) - lengths
    return np.add.reduceat(demonstrations.rewards.astype(np.float64), starts)


def _returns_text(demonstrations: Demonstrations) -> str:
    returns = _returns(demonstrations)
    if returns is None:
        return "not recorded"
    return f"{returns.min():.4g} to {returns.max():.4g}, mean {returns.mean():.5g}"


def _success_text(demonstrations: Demonstrations) -> str:
    ever = episode_successes(demonstrations)
    if ever is None:
        return "not recorded"
    origin = "" if demonstrations.successes is not None else " (from rewards of two values)"
    failed = "" if ever.all() else f"; not in {episode_list(np.flatnonzero(~ever))}"
    return f"{ever.sum()} of {ever.size} episodes succeed{origin}{failed}"


def _episodes(demonstrations: Demonstrations) -> list[dict[str, object]]:
    """One dict an episode, in plain JSON types."""
    returns, flags = _returns(demonstrations), demonstrations.recorded_successes
    rows = []
    start = 0
    for number, length in enumerate(demonstrations.episode_lengths.tolist()):
        steps = slice(start, start + length)
        solved = None if flags is None else np.flatnonzero(flags[steps])
        rows.append(
            {
                "episode": number,
                "steps": length,
                "return": None if returns is None else float(returns[number]),
                "success": None if solved is None else bool(solved.size),
                "first_success": None if solved is None or not solved.size else int(solved[0]) + 1,
                "saturated": float((np.abs(demonstrations.actions[steps]) >= 0.999).mean()),
            }
        )
        start += length
    return rows


def _episode_table(demonstrations: Demonstrations) -> str:
    rows = [("episode", "steps", "return", "success", "after steps", "at bounds")]
    for row in _episodes(demonstrations):
        success = "-" if row["success"] is None else "yes" if row["success"] else "no"
        rows.append(
            (
                str(row["episode"]),
                str(row["steps"]),
                "-" if row["return"] is None else f"{row['return']:.5g}",
                success,
                str(row["first_success"] or "-"),
                f"{row['saturated']:.1%}",
            )
        )
    return table(rows)


def _dimension_table(demonstrations: Demonstrations) -> str:
    rows: list[tuple[str, ...]] = [("dimension", "lowest", "mean", "highest", "std")]
    for name in ("states", "actions"):
        values = getattr(demonstrations, name).astype(np.float64)
        columns = (values.min(0), values.mean(0), values.max(0), values.std(0))
        for index, numbers in enumerate(zip(*columns, strict=True)):
            rows.append((f"{name[:-1]} {index}", *(f"{number:.4g}" for number in numbers)))
    return table(rows)
