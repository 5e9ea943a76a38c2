"""The comparison of methods over seeds as a Markdown table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from nppac_priors.errors import ConfigError

from nppac_agents.reporting.compared_runs import ComparedRun, Groups, read_groups, several_rewards
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


def comparison_table(groups: Groups) -> str:
    """All five measures before and after each run, with its cost and config, in Markdown.

    Before and after are of the selection starts. Where a run was judged on reporting starts too,
    that result has columns of its own, and a run without says `not reported` there.

    Below five seeds a group has one row for each seed, and one for the mean; from five on, one for
    the mean and one for the interquartile mean, with 95 % bootstrap intervals in brackets. Steps to
    success are over the seeds that have one; `(3 of 5)` says where these are not all. Wall-clock of
    several seeds is their mean. Where the runs' rewards differ, each return is followed by its own.

    Args:
        groups: directories of finished runs, by method.

    Raises:
        ConfigError: the runs cannot be compared, or one is not finished.
        DataError: a directory is no run, or damaged.
    """
    return table_of(read_groups(groups))


def table_of(runs: Mapping[str, Sequence[ComparedRun]]) -> str:
    """The table of runs of one task, by method; see `comparison_table`.

    Raises:
        ConfigError: one is not finished.
    """
    for run in (run for members in runs.values() for run in members):
        if run.summary is None:
            raise ConfigError(f"{run.path}: is not finished (no summary.json); finish it first")
    name_reward = several_rewards(runs)
    everyone = [run for members in runs.values() for run in members]
    reported = next((run.reported for run in everyone if run.reported), None)
    columns = _Columns(name_reward, reported is not None)
    head = ["method", "seeds", "", *(f"{m.title} (before → after)" for m in MEASURES)]
    head += [f"{m.title} (reported)" for m in MEASURES] if reported else []
    head += ["env steps", "updates", "wall-clock", "config"]
    rows = [row for name, members in runs.items() for row in _rows(name, members, columns)]
    lines = [
        *_protocol(everyone[0], reported, name_reward),
        "",
        *(_line(row) for row in (head, ["---"] * len(head), *rows)),
    ]
    return "\n".join(lines) + "\n"


class _Columns(NamedTuple):
    """What the rows of a table say beside the measures before and after."""

    reward: bool
    reported: bool


def _protocol(first: ComparedRun, reported: dict[str, Any] | None, name_reward: bool) -> list[str]:
    """How the runs were judged: by one protocol in a column."""
    protocol = first.protocol if name_reward else {**first.protocol, "env.reward": first.reward}
    fields = ", ".join(f"{field} {value}" for field, value in protocol.items())
    lines = [f"Protocol: {fields}; before and after are on these selection starts."]
    if reported:
        low, high = reported["seeds"]
        lines += ["", f"Reported: the last policy on {reported['episodes']} reporting starts, "
                  f"reset seeds {low} to {high}, which served no choice."]  # fmt: skip
    return lines


def _rows(name: str, runs: Sequence[ComparedRun], columns: _Columns) -> list[list[str]]:
    statistics: list[tuple[Sequence[ComparedRun], str, Show]]
    if len(runs) >= ENOUGH_SEEDS:
        statistics = [
            (runs, "mean [95 %]", lambda m, v: _with_interval(m, v, mean)),
            (runs, "IQM [95 %]", lambda m, v: _with_interval(m, v, interquartile_mean)),
        ]
    else:
        statistics = [([run], "", _plain_mean) for run in runs]
        if len(runs) > 1:
            statistics.append((runs, "mean", _plain_mean))
    return [_row(name, *statistic, columns) for statistic in statistics]


def _row(
    name: str,
    runs: Sequence[ComparedRun],
    statistic: str,
    show: Show,
    columns: _Columns,
) -> list[str]:
    cells = [name.replace("|", "\\|"), ", ".join(str(run.seed) for run in runs), statistic]
    for measure in MEASURES:
        before = _cell(measure, [run.evaluations[0] for run in runs], show)
        after = _cell(measure, [run.evaluations[-1] for run in runs], show)
        cells.append(f"{before} → {after}{_reward(runs, measure, columns)}")
    if columns.reported:
        cells += [_reported(runs, measure, show, columns) for measure in MEASURES]
    summaries = [run.summary or {} for run in runs]
    return [
        *cells,
        _span(summaries, "env_steps", "{:,}".format),
        _span(summaries, "updates", "{:,}".format),
        duration(float(np.mean([summary["wall_seconds"] for summary in summaries]))),
        ", ".join(dict.fromkeys(str(summary["config_hash"])[:8] for summary in summaries)),
    ]


def _reported(runs: Sequence[ComparedRun], measure: Measure, show: Show, columns: _Columns) -> str:
    """Of the runs that were judged on reporting starts."""
    events = [run.reported for run in runs if run.reported]
    if not events:
        return "not reported"
    text = _cell(measure, events, show) + _reward(runs, measure, columns)
    missing = len(runs) - len(events)
    return f"{text}, {missing} not reported" if missing else text


def _reward(runs: Sequence[ComparedRun], measure: Measure, columns: _Columns) -> str:
    named = columns.reward and measure.field == "return_mean"
    return f" ({runs[0].reward})" if named else ""


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


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
