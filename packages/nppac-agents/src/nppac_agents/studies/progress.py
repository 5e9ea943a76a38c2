"""How far a run is, from the files in its directory: for whoever watches, from any process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from nppac_agents.reporting.measures import BY_FIELD
from nppac_agents.running.lock import living_owner
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.studies.expansion import StudyRun
from nppac_agents.studies.reached import is_finished

_TAIL = 1 << 18
"""Bytes at the end of `metrics.jsonl` that are looked at: some evaluations."""


class State(StrEnum):
    """Of a run, as its files say."""

    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    DONE = "done"
    GIVEN_UP = "given up"


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        state: whether it runs or is done.
        env_steps: made so far.
        total: environment steps of the whole run; 0 for one that learns from data alone.
        updates: made so far.
        wall_seconds: of learning so far.
        success: `success_ever` of the latest evaluation; None as long as there is none, or where it
            tells no success.
        return_mean: of the latest evaluation; None as long as there is none.
        problem: why it was given up; empty if it was not.
    """

    state: State
    env_steps: int = 0
    total: int = 0
    updates: int = 0
    wall_seconds: float = 0.0
    success: float | None = None
    return_mean: float | None = None
    problem: str = ""

    def measured(self, success: str = "") -> str:
        """`0.90` after what success is called, or `return 3,110.0`; empty without evaluations."""
        if self.success is not None:
            return f"{success}{BY_FIELD['success_ever'].shown(self.success)}"
        if self.return_mean is not None:
            return f"return {BY_FIELD['return_mean'].shown(self.return_mean)}"
        return ""

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None where there is none yet."""
        if self.state is not State.RUNNING or not self.env_steps or not self.total:
            return None
        return self.wall_seconds * (self.total - self.env_steps) / self.env_steps


def read_progress(run: StudyRun, problem: str = "") -> Progress:
    """Where a run stands.

    Args:
        run: of a study.
        problem: why it was given up, if it was.
    """
    directory = RunDirectory(run.path)
    if living_owner(directory.lock) is not None:
        state = State.RUNNING
    elif is_finished(run.path):
        state = State.DONE
    elif problem:
        state = State.GIVEN_UP
    else:
        state = State.INTERRUPTED if directory.config_file.is_file() else State.WAITING
    last: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}
    for event in _latest(directory.metrics):
        last = last or event
        if event.get("event") == "evaluation":
            evaluation = event
            break
    return Progress(
        state=state,
        env_steps=last.get("env_steps", 0),
        total=run.config.training.env_steps if run.config.env is not None else 0,
        updates=last.get("updates", 0),
        wall_seconds=last.get("wall_seconds", 0.0),
        success=evaluation.get("success_ever"),
        return_mean=evaluation.get("return_mean"),
        problem=problem,
    )


def _latest(path: Path) -> Iterator[dict[str, Any]]:
    """The events at the end of a metrics file, the last one first; none where it is damaged."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _TAIL, 0))
            lines = file.read().split(b"\n")
    except OSError:
        return
    for line in reversed(lines[1:] if size > _TAIL else lines):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
