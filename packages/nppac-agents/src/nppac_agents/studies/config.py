"""The study file: experiments, seeds and grids, and who runs them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from nppac_priors.config import Config
from nppac_priors.registry import ByKind
from pydantic import AfterValidator, Field, SerializeAsAny, model_validator

from nppac_agents.studies.executor import Executor
from nppac_agents.studies.local import LocalExecutor
from nppac_agents.studies.registry import executor_registry
from nppac_agents.studies.seeds import Seeds
from nppac_agents.studies.tuning import TuningConfig

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]*")


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot name a folder: it may have letters, digits, and . _ + = - after the "
            "first"
        )
    return name


Name = Annotated[str, AfterValidator(_checked_name)]
"""What a folder can be called."""

Changes = dict[str, Any]
"""Fields of an experiment by dotted path, such as `agent.alpha`, and their values."""

Points = list[Any] | dict[Name, Changes]


class ExceptionConfig(Config):
    """What holds for some of a study's points alone."""

    where: dict[str, str] = Field(min_length=1)
    """Which points: the experiment's name as `experiment`, the budget's as `budget`, and the name
    of the value on any axis of the grid."""
    set: Changes
    """Fields by dotted path, set last."""


class StudyConfig(Config):
    """Experiments times grid times seeds, each a run of its own."""

    schema_: str | None = Field(default=None, alias="$schema")
    """Where an editor finds this file's JSON schema."""
    comment: tuple[str, ...] = Field(default=(), alias="$comment")
    """Lines for whoever reads the file."""
    experiments: dict[Name, str | dict[str, Any]] = Field(min_length=1)
    """The methods to compare, by name: an experiment file, or an experiment, which may lack what
    `set`, the grid or a budget adds."""
    seeds: Seeds = (0,)
    """Seeds of every point: a list, or "0:6" for 0 to 5."""
    set: Changes = Field(default={})
    """Fields of all experiments, by dotted path, such as `agent.alpha`."""
    grid: dict[str, Points] = Field(default={})
    """Axes: a field's dotted path and a list of its values, or any name and, for each named value,
    the fields that it sets."""
    budgets: dict[Name, Changes] = Field(default={})
    """Fields that make the study larger or smaller, by name."""
    budget: str | None = None
    """Which of `budgets` holds."""
    exceptions: tuple[ExceptionConfig, ...] = ()
    """Fields of some points, set after everything else, in order."""
    executor: Annotated[SerializeAsAny[Executor], ByKind(executor_registry)] = LocalExecutor()
    """Who runs the runs."""
    tuning: TuningConfig | None = None
    """What `nppac-run tune` searches, before the seeds are run."""
    failures: int = Field(default=3, ge=1)
    """Failures after which a run is given up, in one sweep; one that had gone on since its last
    start does not count."""
    output_dir: str | None = None
    """The study's folder; null for runs/NAME, and runs/NAME-BUDGET under a budget."""

    @model_validator(mode="after")
    def _budget_is_known(self) -> Self:
        if self.budget is not None and self.budget not in self.budgets:
            known = ", ".join(self.budgets) or "none"
            raise ValueError(f"budget {self.budget!r} is unknown; known: {known}")
        return self

    @model_validator(mode="after")
    def _axes_have_points(self) -> Self:
        for axis, points in self.grid.items():
            _checked_name(axis)
            if axis in ("experiment", "seed", "budget"):
                raise ValueError(f"grid.{axis}: is an axis of every study; choose another name")
            if not points:
                raise ValueError(f"grid.{axis}: has no values; give some, or leave the axis out")
        return self

    @model_validator(mode="after")
    def _tuning_is_apart(self) -> Self:
        if self.tuning is None:
            return self
        if both := set(self.seeds) & set(self.tuning.seeds):
            raise ValueError(f"tuning.seeds: {min(both)} is one of the study's own seeds too")
        if both := sorted(self.grid.keys() & self.tuning.space.keys()):
            raise ValueError(f"tuning.space.{both[0]}: is an axis of the grid, too")
        return self
