"""The comparison that a sweep ends in, over all finished runs of its study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from nppac_agents.reporting.comparison_files import write_comparison
from nppac_agents.reporting.tasks import read_tasks
from nppac_agents.studies.expansion import Point, StudyRun
from nppac_agents.studies.reached import is_finished
from nppac_agents.studies.study import Study

FILES = ("comparison.html", "comparison.json", "runs.csv", "curves.svg", "curves.pdf")


def compare_study(study: Study) -> Path | None:
    """Write the page, the numbers and the figures of the runs that are finished.

    Returns:
        The page; None as long as no run with an environment is finished.
    """
    finished = [run for run in study.runs if is_finished(run.path) and run.config.env is not None]
    if not finished:
        return None
    tasks = read_tasks(methods(finished, study.points))
    missing = len(study.runs) - len(finished)
    notes = f"{len(finished)} of {len(study.runs)} runs are finished." if missing else ""
    for name in FILES:
        write_comparison(tasks, study.comparison / name, notes=notes)
    return study.comparison / FILES[0]


def methods(runs: Sequence[StudyRun], points: Sequence[Point]) -> dict[str, list[Path]]:
    """Run directories by method: the experiment, and its values on axes that are no tasks.

    An axis is one of tasks where all points that differ in it alone have different evaluation
    protocols; a comparison tells these apart by itself.

    Args:
        runs: to compare.
        points: all points of their study.
    """
    axes = [axis for axis in points[0].values if not _is_task(axis, points)]
    found: dict[str, list[Path]] = defaultdict(list)
    for run in runs:
        values = (f"{axis}={run.point.values[axis]}" for axis in axes)
        found[" ".join([run.point.experiment, *values])].append(run.path)
    return dict(found)


def _is_task(axis: str, points: Sequence[Point]) -> bool:
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for point in points:
        others = [value for name, value in point.values.items() if name != axis]
        alike[point.experiment, *others].append(_protocol(point))
    return all(1 < len(found) == len(set(found)) for found in alike.values())


def _protocol(point: Point) -> str:
    """What `compared_runs` tells protocols by: the environment but its reward, and the starts."""
    config = point.config
    env = {} if config.env is None else config.env.model_dump(exclude={"reward"}, mode="json")
    return str((env, config.evaluation.selection_seeds))
