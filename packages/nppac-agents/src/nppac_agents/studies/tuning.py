"""The search for settings, as a study file says it: a space, and how it is searched."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from nppac_priors.config import Config
from pydantic import Field, model_validator

from nppac_agents.studies.seeds import Seeds

FIRST_SEED = 10
"""The seeds before it are for reporting alone."""


class FloatRange(Config):
    """A number between two, each as likely at first."""

    type: Literal["float"]
    """A number."""
    low: float
    """Smallest value."""
    high: float
    """Largest value."""


class LogRange(Config):
    """A positive number between two, whose logarithms are as likely at first."""

    type: Literal["log"]
    """A positive number on a logarithmic scale."""
    low: float = Field(gt=0)
    """Smallest value."""
    high: float = Field(gt=0)
    """Largest value."""


class IntRange(Config):
    """A whole number between two, both included."""

    type: Literal["int"]
    """A whole number."""
    low: int
    """Smallest value."""
    high: int
    """Largest value."""


class Choice(Config):
    """One of several values without an order."""

    type: Literal["categorical"]
    """One of several values."""
    choices: tuple[Any, ...] = Field(min_length=2)
    """The values, of any kind."""

    @property
    def names(self) -> list[str]:
        """The choices as JSON, by which they are stored."""
        return [json.dumps(choice, sort_keys=True) for choice in self.choices]


Dimension = Annotated[FloatRange | LogRange | IntRange | Choice, Field(discriminator="type")]


class TuningConfig(Config):
    """How `nppac-run tune` looks for the settings of each point of a study."""

    space: dict[str, Dimension] = Field(min_length=1)
    """What is searched: fields by dotted path, such as `agent.alpha`."""
    trials: int = Field(default=30, ge=1)
    """Settings to try for each point."""
    seeds: Seeds = (FIRST_SEED, FIRST_SEED + 1)
    """Seeds of every trial, from 10 up and none of the study's own: a list, or "10:12"."""
    measure: Literal["success_ever", "success_at_end", "solved_fraction", "return_mean"] = (
        "success_ever"
    )
    """What is to be large: the mean over seeds at the last evaluation."""
    pruning_after: int | None = Field(default=5, ge=1)
    """Trials before the first may be stopped early, for an evaluation below the median of earlier
    trials at the same step; null to let all end."""
    seed: int = Field(default=0, ge=0)
    """Of the search itself."""

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> Self:
        for path, one in self.space.items():
            if isinstance(one, Choice):
                if len(set(one.names)) < len(one.choices):
                    raise ValueError(f"space.{path}: a choice is given twice")
            elif one.low >= one.high:
                raise ValueError(f"space.{path}: low has to be below high")
        return self

    @model_validator(mode="after")
    def _seeds_are_not_of_reporting(self) -> Self:
        if min(self.seeds) < FIRST_SEED:
            raise ValueError(
                f"seeds: {min(self.seeds)} is below {FIRST_SEED}, and these are for reporting"
            )
        return self
