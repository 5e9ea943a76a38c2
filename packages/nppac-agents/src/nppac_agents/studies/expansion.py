"""From a study to its runs: experiments times grid times seeds, each a validated experiment."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nppac_priors.errors import ConfigError

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.loading import experiment_of, read_object, set_field
from nppac_agents.studies.config import Changes, Points, StudyConfig

_UNSAFE = re.compile(r"[^A-Za-z0-9._+=-]+")


@dataclass(frozen=True)
class Point:
    """One experiment with one value of every axis, to be run with every seed.

    Attributes:
        experiment: its name in the study.
        values: the name of its value by axis, in the study's order.
        config: the experiment; `seed` and `output_dir` are of no meaning.
    """

    experiment: str
    values: Mapping[str, str]
    config: ExperimentConfig

    @property
    def name(self) -> str:
        """`nppac/task=door/agent.alpha=0.1`: a relative path."""
        return "/".join([self.experiment, *(f"{a}={v}" for a, v in self.values.items())])


@dataclass(frozen=True)
class StudyRun:
    """One run of a study."""

    point: Point
    seed: int
    path: Path

    @property
    def name(self) -> str:
        """`nppac/task=door/seed0`."""
        return f"{self.point.name}/seed{self.seed}"

    @property
    def config(self) -> ExperimentConfig:
        """The experiment of this run."""
        update = {"seed": self.seed, "output_dir": str(self.path)}
        return self.point.config.model_copy(update=update)


def points(study: StudyConfig, name: str) -> list[Point]:
    """All points of a study, experiments first, the last axis fastest.

    Args:
        study: what to expand.
        name: of the study, for messages.

    Raises:
        ConfigError: a point is no valid experiment, an exception is of no point, or two values of
            an axis have one name; one line for each problem of all points.
    """
    axes = {axis: _named(axis, values, name) for axis, values in study.grid.items()}
    found: list[Point] = []
    problems: list[str] = []
    for experiment, base in _bases(study).items():
        for values in itertools.product(*axes.values()):
            names = dict(zip(axes, values, strict=True))
            where = " ".join([f"{name}: {experiment}", *(f"{a}={v}" for a, v in names.items())])
            changes = [axes[axis][value] for axis, value in names.items()]
            try:
                data = _changed(base, [study.set, *changes, *_last(study, experiment, names)])
                config = experiment_of(data, where=where, name=experiment)
            except ConfigError as error:
                lines = str(error).split("\n")
                problems += [t if t.startswith(where) else f"{where}: {t}" for t in lines]
            else:
                found.append(Point(experiment, names, config))
    problems += _unused(study, axes, name)
    if problems:
        raise ConfigError("\n".join(problems))
    return found


def _last(study: StudyConfig, experiment: str, names: Mapping[str, str]) -> list[Changes]:
    """What is set after the grid: by the budget, and by the exceptions of this point."""
    here = {"experiment": experiment, "budget": study.budget, **names}.items()
    return [
        study.budgets.get(study.budget or "", {}),
        *(one.set for one in study.exceptions if one.where.items() <= here),
    ]


def _changed(base: dict[str, Any], layers: list[Changes]) -> dict[str, Any]:
    data = copy.deepcopy(base)
    for layer in layers:
        for dotted, value in layer.items():
            set_field(data, dotted, copy.deepcopy(value))
    return data


def _unused(study: StudyConfig, axes: Mapping[str, Any], name: str) -> list[str]:
    """A line for each exception of no point."""
    known = {"experiment": study.experiments, "budget": study.budgets, **axes}
    return [
        f"{name}: exceptions[{index}].where: there is no {axis} {value!r}"
        for index, one in enumerate(study.exceptions)
        for axis, value in one.where.items()
        if value not in known.get(axis, ())
    ]


def runs(study: StudyConfig, found: list[Point], folder: Path) -> list[StudyRun]:
    """The runs of points, all with one seed before those with the next.

    A study that is stopped early has then compared all points on its first seeds.

    Args:
        study: names the seeds.
        found: its points.
        folder: below which the run directories are.
    """
    return [
        StudyRun(point, seed, folder / point.name / f"seed{seed}")
        for seed in study.seeds
        for point in found
    ]


def written_out(study: StudyConfig) -> dict[str, Any]:
    """The study as JSON, with its experiment files' content in place of their names."""
    data = study.model_dump(mode="json", by_alias=True, exclude={"schema_"})
    return {**data, "experiments": _bases(study)}


def _bases(study: StudyConfig) -> dict[str, dict[str, Any]]:
    return {
        name: read_object(Path(base)) if isinstance(base, str) else base
        for name, base in study.experiments.items()
    }


def _named(axis: str, values: Points, name: str) -> dict[str, dict[str, Any]]:
    """What each value of an axis sets, by the name of the value."""
    if isinstance(values, dict):
        return values
    found = [(_name_of(value), {axis: value}) for value in values]
    named = dict(found)
    if "" in named or len(named) < len(found):
        raise ConfigError(
            f"{name}: grid.{axis}: its values do not give different names; write "
            f'{{"NAME": {{"{axis}": VALUE}}, ...}}'
        )
    return named


def _name_of(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return _UNSAFE.sub("_", text).strip("_")
