"""A comparison's numbers as plain records, and as CSV and JSON: one record a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nppac_priors.atomic_files import finite

from nppac_agents.reporting.aggregates import aggregate, improvements, last_scores
from nppac_agents.reporting.compared_runs import ComparedRun
from nppac_agents.reporting.learning_curve import summarise
from nppac_agents.reporting.measures import BY_FIELD, MEASURES
from nppac_agents.reporting.tasks import Task


def run_records(tasks: Sequence[Task], measure: str) -> list[dict[str, Any]]:
    """One record for each run: whose it is, its curve in numbers, its results and its cost.

    Numbers are of the measure, or of the return where the task does not tell it.
    """
    return [
        {"task": task.name, "method": method, "seed": run.seed}
        | _record(run, task.shown_in(measure).field)
        for task in tasks
        for method, runs in task.runs.items()
        for run in runs
    ]


def comparison_json(tasks: Sequence[Task], measure: str) -> str:
    """Protocols, runs with their curves, and statistics over tasks, as JSON."""
    scores = last_scores(tasks, measure) if BY_FIELD[measure].is_rate else {}
    data = {
        "measure": measure,
        "tasks": {task.name: next(iter(task.runs.values()))[0].protocol for task in tasks},
        "runs": [
            record | {"path": str(run.path), "curve": run.curve(record["measure"], run.progress)}
            for record, run in zip(run_records(tasks, measure), _runs(tasks), strict=True)
        ],
        "methods": {method: asdict(aggregate(one)) for method, one in scores.items()},
        "improvement": [
            {"of": one, "over": other, "probability": value, "interval": interval, "tasks": common}
            for (one, other), (value, interval, common) in improvements(scores).items()
        ],
    }
    return json.dumps(finite(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def comparison_csv(tasks: Sequence[Task], measure: str) -> str:
    """The records of all runs as CSV, with a head; nothing stands for what there is not."""
    records = run_records(tasks, measure)
    file = io.StringIO()
    writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


def _record(run: ComparedRun, measure: str) -> dict[str, Any]:
    last, summary = run.evaluations[-1], run.summary
    return {
        "finished": summary is not None,
        "measure": measure,
        **asdict(summarise(run, measure)),
        **{field.field: last.get(field.field) for field in MEASURES},
        **{f"reported_{m.field}": (run.reported or {}).get(m.field) for m in MEASURES},
        "reward": run.reward,
        **{key: last[key] for key in ("env_steps", "updates", "wall_seconds")},
        "config_hash": None if summary is None else summary.get("config_hash"),
    }


def _runs(tasks: Sequence[Task]) -> list[ComparedRun]:
    return [run for task in tasks for runs in task.runs.values() for run in runs]
