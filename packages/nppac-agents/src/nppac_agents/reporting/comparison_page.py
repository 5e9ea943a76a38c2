"""The comparison of methods over tasks as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence

from nppac_priors.drawing.pages import render

from nppac_agents.reporting.aggregates import aggregate, improvements, last_scores, profile_panel
from nppac_agents.reporting.comparison import Axis, task_panels
from nppac_agents.reporting.comparison_data import run_records
from nppac_agents.reporting.comparison_rows import protocol_text
from nppac_agents.reporting.measures import BY_FIELD
from nppac_agents.reporting.statistics import ENOUGH_SEEDS
from nppac_agents.reporting.tasks import Task

_SIZE = (3.6, 2.6)


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
    curves = task_panels(tasks, measures, axis)
    measure = BY_FIELD[measures[0]]
    scores = last_scores(tasks, measure.field) if measure.is_rate else {}
    return render(
        "nppac_agents.reporting",
        "comparison.html",
        title="Comparison",
        notes=notes,
        curves=curves,
        measure=measure,
        enough=ENOUGH_SEEDS,
        aggregates={method: aggregate(by_task) for method, by_task in scores.items()},
        profile=profile_panel(scores, measure, _SIZE) if scores else None,
        improvements=improvements(scores),
        shown={task.name: task.shown_in(measure.field) for task in tasks},
        records={task.name: run_records([task], measure.field) for task in tasks},
        protocols={
            task.name: protocol_text(next(iter(task.runs.values()))[0].protocol) for task in tasks
        },
    )
