"""The comparison of methods over tasks as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nppac_priors.drawing.html import page, paragraph, section, table

from nppac_agents.reporting.aggregates import aggregate, improvements, last_scores, profile_panel
from nppac_agents.reporting.comparison import Axis, task_panels
from nppac_agents.reporting.comparison_data import run_records
from nppac_agents.reporting.elements import panel_grid
from nppac_agents.reporting.measures import BY_FIELD, NOTHING, Measure
from nppac_agents.reporting.statistics import ENOUGH_SEEDS, Interval
from nppac_agents.reporting.tasks import Task

_FOOTER = "Made from run directories alone. Intervals are 95 % stratified bootstrap intervals."
_SIZE = (4.4, 2.6)


def comparison_page(
    tasks: Sequence[Task], measures: Sequence[str], axis: Axis | None = None, notes: str = ""
) -> str:
    """HTML: learning curves, methods over tasks, and a row for each run.

    Args:
        tasks: with their runs.
        measures: fields of an evaluation; statistics are of the first.
        axis: what counts the progress.
        notes: what a reader has to know, such as which runs are missing.

    Raises:
        ConfigError: a measure is unknown, or the runs' rewards differ in what is a return.
    """
    measure = BY_FIELD[measures[0]]
    content = [
        paragraph(escape(notes)) if notes else "",
        section("Learning curves", panel_grid(task_panels(tasks, measures, axis), group="curves")),
        _over_tasks(tasks, measure),
        *(_task(task, measure) for task in tasks),
    ]
    return page("Comparison", "\n".join(filter(None, content)), _FOOTER)


def _over_tasks(tasks: Sequence[Task], measure: Measure) -> str:
    scores = last_scores(tasks, measure.field)
    title = "Methods over tasks"
    if not measure.is_rate or not scores:
        note = f"{measure.title} has no common unit over tasks: see each task."
        return section(title, paragraph(escape(note)))
    rows = []
    for method, by_task in scores.items():
        found = aggregate(by_task)
        shown = measure.shown(found.interquartile_mean, found.interval)
        rows.append([escape(method), str(found.tasks), str(found.runs), shown])
    pairs = [
        [escape(one), escape(other), _shown(value, interval), str(common)]
        for (one, other), (value, interval, common) in improvements(scores).items()
    ]
    note = (
        f"{measure.title} of the last evaluation. An interval stands where each task has "
        f"{ENOUGH_SEEDS} seeds or more. Compare methods only where they have the same tasks."
    )
    head = ["method", "tasks", "runs", "interquartile mean"]
    pair_head = ["method", "over", "probability of improvement", "common tasks"]
    return section(
        title,
        paragraph(escape(note)),
        table(head, rows, name="Interquartile means"),
        panel_grid([profile_panel(scores, measure, _SIZE)], group="profile"),
        table(pair_head, pairs, name="Probability of improvement") if pairs else "",
    )


def _task(task: Task, measure: Measure) -> str:
    """A row for each run, so that a reader sees what the statistics are made of."""
    protocol = next(iter(task.runs.values()))[0].protocol
    fields = ", ".join(f"{field} {value}" for field, value in protocol.items())
    head = ["method", "seed", "before", "last", "reported", "mean level", "regret",
            "steps to 50 %", "steps to 90 %", "env steps", "updates", "seconds"]  # fmt: skip
    rows = []
    for record in run_records([task], measure.field):
        values = ("first", "last", f"reported_{measure.field}", "area", "regret")
        counts = ("steps_to_half", "steps_to_ninety", "env_steps", "updates", "wall_seconds")
        rows.append(
            [
                escape(str(record["method"])),
                str(record["seed"]),
                *(measure.shown(record[name]) for name in values),
                *(NOTHING if record[name] is None else f"{record[name]:,.0f}" for name in counts),
            ]
        )
    note = (
        f"{measure.title}, by {fields}. Mean level is the area below the curve over its steps; "
        "regret is the area by which it lies below its own start."
    )
    return section(task.name, paragraph(escape(note)), table(head, rows, name=task.name))


def _shown(value: float, interval: Interval | None) -> str:
    text = f"{value:.2f}"
    return text if interval is None else f"{text} [{interval.low:.2f}, {interval.high:.2f}]"
