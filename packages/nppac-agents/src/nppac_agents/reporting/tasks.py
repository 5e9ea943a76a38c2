"""Runs of several tasks: each task's runs share one protocol, and methods may have runs of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nppac_agents.reporting.compared_runs import (
    ComparedRun,
    Groups,
    checked_groups,
    read_run,
    told_by,
)
from nppac_agents.reporting.measures import BY_FIELD, Measure


@dataclass(frozen=True)
class Task:
    """What may share a column: one environment under one evaluation protocol.

    Attributes:
        name: of the environment, and of what tells it from others of this name.
        runs: by method.
    """

    name: str
    runs: Mapping[str, Sequence[ComparedRun]]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What its evaluations tell."""
        return told_by(self.runs)

    def shown_in(self, measure: str) -> Measure:
        """A measure by its field, or the return where the task does not tell it."""
        return BY_FIELD[measure if BY_FIELD[measure] in self.measures else "return_mean"]


def read_tasks(groups: Groups) -> list[Task]:
    """Read all runs and tell their tasks apart by their protocols.

    Args:
        groups: run directories by method, of any tasks.

    Raises:
        ConfigError: within a task the runs cannot be compared; see `read_groups`.
        DataError: a directory is no run, or damaged.
    """
    by_protocol: list[tuple[dict[str, Any], dict[str, list[ComparedRun]]]] = []
    for method, paths in groups.items():
        for run in (read_run(Path(path)) for path in paths):
            runs = next((runs for one, runs in by_protocol if one == run.protocol), None)
            if runs is None:
                runs = {}
                by_protocol.append((run.protocol, runs))
            runs.setdefault(method, []).append(run)
    names = _names([protocol for protocol, _ in by_protocol])
    return [
        Task(name, checked_groups(runs)) for name, (_, runs) in zip(names, by_protocol, strict=True)
    ]


def _names(protocols: Sequence[dict[str, Any]]) -> list[str]:
    """A name for each protocol: the environment's, and what differs within one environment."""
    names = []
    for protocol in protocols:
        alike = [other for other in protocols if _environment(other) == _environment(protocol)]
        fields = sorted({field for other in alike for field in other})
        different = [f for f in fields if any(o.get(f) != protocol.get(f) for o in alike)]
        details = ", ".join(f"{field} {protocol.get(field)}" for field in different)
        names.append(_environment(protocol) + (f" ({details})" if details else ""))
    return names


def _environment(protocol: Mapping[str, Any]) -> str:
    return str(protocol.get("env.id") or protocol.get("env.kind") or "no environment")
