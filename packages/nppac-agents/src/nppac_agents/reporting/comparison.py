"""The comparison of methods over seeds, as a figure, from run directories alone.

Below five seeds every seed is shown, with the mean and no interval; from five on the mean and the
interquartile mean, with its 95 % bootstrap interval. Runs of different evaluation protocols are
refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from nppac_priors.drawing.panels import Curve, Panel, row_figure
from nppac_priors.drawing.style import series
from nppac_priors.errors import ConfigError
from numpy.typing import NDArray

from nppac_agents.reporting.compared_runs import ComparedRun, Groups, read_groups, several_rewards
from nppac_agents.reporting.drawn import Drawn, is_constant
from nppac_agents.reporting.figure_files import save_figure
from nppac_agents.reporting.measures import BY_FIELD, Measure
from nppac_agents.reporting.statistics import (
    ENOUGH_SEEDS,
    interquartile_mean,
    mean,
    stratified_bootstrap,
)
from nppac_agents.reporting.tasks import Task

Array = NDArray[np.float64]

_SIZE = (3.6, 2.7)
_TIMES = 41

Axis = Literal["env_steps", "updates", "wall_seconds"]
AXES = {"env_steps": "environment steps", "updates": "updates", "wall_seconds": "seconds"}
"""What may count the progress of runs, and what an axis calls it"""


def usual_measures(tasks: Sequence[Task]) -> Sequence[str]:
    """What is shown where nobody has chosen."""
    if any(measure.of_success for task in tasks for measure in task.measures):
        return "success_ever", "success_at_end"
    return ("return_mean",)


def compare_runs(groups: Groups, out: Path, measures: Sequence[str] = ()) -> Path:
    """Draws runs of one task: one panel for each measure, with one colour for each method.

    A solid line is the mean below five seeds, beside every seed as a thin line; from five on it is
    the interquartile mean in its interval, and a dashed line is the mean. A line over seeds goes as
    far as all seeds were measured. What a method without environment steps reaches is a level
    beside the others.

    Args:
        groups: run directories by method.
        out: the figure, a PNG, SVG or PDF by its suffix.
        measures: fields of an evaluation; success at any step and at the end, or the return, if
            there are none.

    Raises:
        ConfigError: the runs cannot be compared, or a measure is unknown, or is the return of
            different rewards, or the suffix is unknown.
        DataError: a directory is no run, or damaged.
    """
    tasks = [Task("", read_groups(groups))]
    save_figure(comparison_figure(tasks, measures or usual_measures(tasks)), out)
    return out


def comparison_figure(
    tasks: Sequence[Task], measures: Sequence[str], axis: Axis | None = None
) -> Figure:
    """The panels of all tasks and measures side by side; see `task_panels`.

    Args:
        tasks: with their runs.
        measures: fields of an evaluation.
        axis: what counts the progress; environment steps where there are any unless given.

    Raises:
        ConfigError: a measure is unknown, or told by no run, or is the return of different rewards.
    """
    drawn = task_panels(tasks, measures, axis)
    if not drawn.panels:
        drawn = task_panels(tasks, measures, axis, constants=True)
    notes = [drawn.in_words, *_footnotes([runs for task in tasks for runs in task.runs.values()])]
    return row_figure(drawn.panels, footnote="\n".join(filter(None, notes)))


def task_panels(
    tasks: Sequence[Task],
    measures: Sequence[str],
    axis: Axis | None = None,
    *,
    constants: bool = False,
) -> Drawn:
    """A panel for each task and measure that it tells, if not all its runs tell one value.

    Args:
        tasks: with their runs.
        measures: fields of an evaluation.
        axis: as for `comparison_figure`.
        constants: draw those, too.

    Raises:
        ConfigError: as `comparison_figure` does.
    """
    require_measures(measures)
    require_told(tasks, measures)
    if "return_mean" in measures and any(several_rewards(task.runs) for task in tasks):
        raise ConfigError("return_mean: the runs have different rewards; leave this measure out")
    methods = dict.fromkeys(name for task in tasks for name in task.runs)
    colours = dict(zip(methods, series(len(methods)), strict=True))
    panels, told = [], {}
    for task in tasks:
        for measure in (m for m in map(BY_FIELD.__getitem__, measures) if m in task.measures):
            values = _measured(measure, task.runs)
            if is_constant(values) and not constants:
                told[_title(measure, task.name)] = measure.shown(float(values[0]))
            else:
                panels.append(panel_of(measure, task.runs, colours, axis=axis, task=task.name))
    return Drawn(panels, told)


def _measured(measure: Measure, runs: Mapping[str, Sequence[ComparedRun]]) -> Array:
    """Every value (n,) of a measure, of all evaluations of all runs."""
    events = [event for members in runs.values() for run in members for event in run.evaluations]
    told = [event.get(measure.field) for event in events]
    return np.array([value for value in told if value is not None], dtype=np.float64)


def require_measures(measures: Sequence[str]) -> None:
    """Refuses what no evaluation measures.

    Raises:
        ConfigError: it lists what is measured.
    """
    for field in measures:
        if field not in BY_FIELD:
            allowed = ", ".join(BY_FIELD)
            raise ConfigError(f"measure {field!r} is unknown; choose from {allowed}")


def require_told(tasks: Sequence[Task], measures: Sequence[str]) -> None:
    """Refuses measures of which no task tells any.

    Raises:
        ConfigError: names the first of them.
    """
    if not any(BY_FIELD[field] in task.measures for task in tasks for field in measures):
        raise ConfigError(f"{measures[0]}: no run tells success; choose return_mean")


def _footnotes(groups: Sequence[Sequence[ComparedRun]]) -> list[str]:
    sizes = [len(members) for members in groups]
    notes = []
    if any(size >= ENOUGH_SEEDS for size in sizes):
        notes.append("Solid: interquartile mean, with its 95 % bootstrap interval; dashed: mean.")
    if any(1 < size < ENOUGH_SEEDS for size in sizes):
        notes.append(f"Below {ENOUGH_SEEDS} seeds, thin: each seed; thick: their mean.")
    return notes


def panel_of(
    measure: Measure,
    runs: Mapping[str, Sequence[ComparedRun]],
    colours: Mapping[str, str],
    *,
    axis: Axis | None = None,
    task: str = "",
) -> Panel:
    """The curves of methods in one measure; `colours` has those without runs of this task, too."""
    everyone = [run for members in runs.values() for run in members]
    interacts = any(event["env_steps"] for run in everyone for event in run.evaluations)
    progress = axis or ("env_steps" if interacts else "updates")
    last = max(event[progress] for run in everyone for event in run.evaluations)
    curves = []
    for name, members in runs.items():
        found: list[dict[float, float]] = [
            dict(run.curve(measure.field, progress)) for run in members
        ]
        if progress == "env_steps" and all(run.took_no_steps for run in members):
            found = [{step: curve[0] for step in (0, last)} if curve else curve for curve in found]
        if progress == "wall_seconds" and len(found) > 1:
            found = _on_common_times(found)
        curves += method_curves(found, colours[name], _label(name, members))
    return Panel(
        "-".join(filter(None, [task, measure.field])),
        _title(measure, task),
        measure.note,
        AXES[progress],
        curves,
        limits=(0.0, 1.0) if measure.is_rate else None,
        form=measure.form,
        names_alone=len(colours) > 1,
        size=_SIZE,
    )


def _title(measure: Measure, task: str) -> str:
    return f"{task}: {measure.title.lower()}" if task else measure.title


def _on_common_times(found: Sequence[Mapping[float, float]]) -> list[dict[float, float]]:
    """Curves at one set of times, linear between their own points, as far as all of them go."""
    known = [curve for curve in found if curve]
    if not known:
        return []
    times = np.linspace(max(map(min, known)), min(map(max, known)), _TIMES).tolist()
    return [
        dict(zip(times, np.interp(times, [*curve], [*curve.values()]).tolist(), strict=True))
        for curve in known
    ]


def _label(name: str, members: Sequence[ComparedRun]) -> str:
    return f"{name} ({len(members)} seed{'s' if len(members) > 1 else ''})"


def method_curves(found: Sequence[Mapping[float, float]], colour: str, label: str) -> list[Curve]:
    """The curves of one method in one panel.

    Args:
        found: the value of each seed by step.
        colour: of the method.
        label: its name.
    """
    if len(found) == 1:
        return [Curve(*_columns(found[0]), colour, label, weight=1.8)]
    steps, scores = _common(found)
    if len(found) < ENOUGH_SEEDS:
        single = [Curve(*_columns(curve), colour, weight=0.8, opacity=0.4) for curve in found]
        return [*single, Curve(steps, mean(scores), colour, label, weight=1.8)]
    low, high = _intervals(scores)
    return [
        Curve(steps, mean(scores), colour, line="--", weight=1.0),
        Curve(steps, interquartile_mean(scores), colour, label, low, high, weight=1.8),
    ]


def _intervals(scores: Array) -> tuple[Array, Array]:
    """Ends (T,) and (T,) of the intervals around the interquartile means of scores (T, seeds)."""
    generator = np.random.default_rng(0)
    ends = [stratified_bootstrap([row], interquartile_mean, generator=generator) for row in scores]
    low, high = np.array(ends, dtype=np.float64).reshape(len(scores), 2).T
    return low, high


def _common(found: Sequence[Mapping[float, float]]) -> tuple[Array, Array]:
    """The steps (T,) at which all seeds have a value, and the values (T, seeds)."""
    steps = sorted(set.intersection(*(set(curve) for curve in found)))
    scores = [[curve[step] for curve in found] for step in steps]
    shape = (len(steps), len(found))
    return np.array(steps, dtype=np.float64), np.array(scores, dtype=np.float64).reshape(shape)


def _columns(curve: Mapping[float, float]) -> tuple[Array, Array]:
    return np.array(list(curve), dtype=np.float64), np.array(list(curve.values()), dtype=np.float64)
