"""What the tables of a comparison say, as text: a row for each seed, or for a statistic of them.

Before and after are of the selection starts. Where a run was judged on reporting starts too, that
result stands apart, and a run without says `not reported` there.

Below five seeds a group has one row for each seed, and one for the mean; from five on, one for
the mean and one for the interquartile mean, with 95 % bootstrap intervals in brackets. Steps to
success are over the seeds that have one; `(3 of 5)` says where these are not all. Wall-clock of
several seeds is their mean. Where the runs' rewards differ, each return is followed by its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nppac_priors.errors import ConfigError

from nppac_agents.reporting.compared_runs import ComparedRun, several_rewards
from nppac_agents.reporting.durations import duration
from nppac_agents.reporting.measures import MEASURES, NOTHING, Measure
from nppac_agents.reporting.statistics import (
    ENOUGH_SEEDS,
    interquartile_mean,
    mean,
    stratified_bootstrap,
)

Show = Callable[[Measure, np.ndarray], str]
"""A statistic of a measure's values, one a seed, as text."""

COSTS = ("env steps", "updates", "wall-clock", "config")
"""What a row says beside the measures"""


@dataclass(frozen=True)
class Row:
    """One seed of a method, or a statistic of its seeds.

    Attributes:
        method: its name.
        seeds: of the row.
        statistic: empty for a single seed.
        before: of the first evaluation, by field.
        after: of the last evaluation.
        reported: on reporting starts; empty where no run of the table has any.
        costs: in the order of `COSTS`.
    """

    method: str
    seeds: str
    statistic: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    reported: Mapping[str, str]
    costs: Sequence[str]


def rows_of(runs: Mapping[str, Sequence[ComparedRun]]) -> list[Row]:
    """The rows of runs of one task, by method.

    Raises:
        ConfigError: a run is not finished.
    """
    for run in _everyone(runs):
        if run.summary is None:
            raise ConfigError(f"{run.path}: is not finished (no summary.json); finish it first")
    name_reward = several_rewards(runs)
    reported = any(run.reported for run in _everyone(runs))
    return [
        _row(name, chosen, statistic, show, name_reward, reported)
        for name, members in runs.items()
        for chosen, statistic, show in _statistics(members)
    ]


def protocol_lines(runs: Mapping[str, Sequence[ComparedRun]]) -> list[str]:
    """How the runs were judged, a sentence each: by one protocol in a column."""
    first = _everyone(runs)[0]
    named = several_rewards(runs)
    protocol = first.protocol if named else {**first.protocol, "env.reward": first.reward}
    lines = [
        f"Protocol: {protocol_text(protocol)}; before and after are on these selection starts."
    ]
    reported = next((run.reported for run in _everyone(runs) if run.reported), None)
    if reported:
        low, high = reported["seeds"]
        lines.append(
            f"Reported: the last policy on {reported['episodes']} reporting starts, "
            f"reset seeds {low} to {high}, which served no choice."
        )
    return lines


def protocol_text(protocol: Mapping[str, Any]) -> str:
    """The fields of a protocol that are set, with their values as a file would have them."""
    shown = {
        field: value if isinstance(value, str) else json.dumps(value)
        for field, value in protocol.items()
        if value is not None and value != {}
    }
    return ", ".join(f"{field} {value}" for field, value in shown.items())


def _everyone(runs: Mapping[str, Sequence[ComparedRun]]) -> list[ComparedRun]:
    return [run for members in runs.values() for run in members]


def _statistics(
    runs: Sequence[ComparedRun],
) -> list[tuple[Sequence[ComparedRun], str, Show]]:
    if len(runs) >= ENOUGH_SEEDS:
        return [
            (runs, "mean [95 %]", lambda m, v: _with_interval(m, v, mean)),
            (runs, "IQM [95 %]", lambda m, v: _with_interval(m, v, interquartile_mean)),
        ]
    single: list[tuple[Sequence[ComparedRun], str, Show]] = [
        ([run], "", _plain_mean) for run in runs
    ]
    return [*single, (runs, "mean", _plain_mean)] if len(runs) > 1 else single


def _row(
    name: str,
    runs: Sequence[ComparedRun],
    statistic: str,
    show: Show,
    name_reward: bool,
    reported: bool,
) -> Row:
    def cells(events: Sequence[dict[str, Any]]) -> dict[str, str]:
        found = {measure.field: _cell(measure, events, show) for measure in MEASURES}
        if name_reward:
            found["return_mean"] += f" ({runs[0].reward})"
        return found

    summaries = [run.summary or {} for run in runs]
    return Row(
        name,
        ", ".join(str(run.seed) for run in runs),
        statistic,
        cells([run.evaluations[0] for run in runs]),
        cells([run.evaluations[-1] for run in runs]),
        _reported(runs, cells) if reported else {},
        (
            _span(summaries, "env_steps", "{:,}".format),
            _span(summaries, "updates", "{:,}".format),
            duration(float(np.mean([summary["wall_seconds"] for summary in summaries]))),
            ", ".join(dict.fromkeys(str(summary["config_hash"])[:8] for summary in summaries)),
        ),
    )


def _reported(
    runs: Sequence[ComparedRun], cells: Callable[[Sequence[dict[str, Any]]], dict[str, str]]
) -> dict[str, str]:
    """Of the runs that were judged on reporting starts."""
    events = [run.reported for run in runs if run.reported]
    if not events:
        return {measure.field: "not reported" for measure in MEASURES}
    missing = len(runs) - len(events)
    note = f", {missing} not reported" if missing else ""
    return {field: text + note for field, text in cells(events).items()}


def _cell(measure: Measure, events: Sequence[dict[str, Any]], show: Show) -> str:
    found = [event[measure.field] for event in events if event.get(measure.field) is not None]
    if not found:
        return NOTHING
    text = show(measure, np.array(found, dtype=np.float64))
    return text if len(found) == len(events) else f"{text} ({len(found)} of {len(events)})"


def _plain_mean(measure: Measure, values: np.ndarray) -> str:
    return measure.shown(float(mean(values)))


def _with_interval(
    measure: Measure, values: np.ndarray, statistic: Callable[[np.ndarray], Any]
) -> str:
    middle = float(statistic(values))
    if len(values) < ENOUGH_SEEDS:
        return measure.shown(middle)
    generator = np.random.default_rng(0)
    interval = stratified_bootstrap([values], statistic, generator=generator)
    return measure.shown(middle, interval)


def _span(summaries: Sequence[dict[str, Any]], key: str, show: Callable[[Any], str]) -> str:
    """One number where all runs agree, else the range."""
    low, high = (end(summary[key] for summary in summaries) for end in (min, max))
    return show(low) if low == high else f"{show(low)} to {show(high)}"
