"""What a sweep shows while it goes on: lines that stay and, on a terminal, a table that lives."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO, final

from nppac_agents.reporting.durations import duration
from nppac_agents.studies.expansion import StudyRun
from nppac_agents.studies.progress import Progress, State, read_progress
from nppac_agents.studies.table import live_table

if TYPE_CHECKING:
    from nppac_agents.studies.study import Study

_REFRESH = 1.0


class View(ABC):
    """Where a sweep reports to."""

    @abstractmethod
    def line(self, text: str) -> None:
        """Show a line that stays."""

    def done(self, run: StudyRun, seconds: float) -> None:
        """Says that a run is done."""
        measured = read_progress(run).measured("success_ever ")
        shown = f", {measured}" if measured else ""
        self.line(f"{run.name}: done, took {duration(seconds)}{shown}")

    @abstractmethod
    def show(self, given_up: dict[str, str]) -> None:
        """Show how all runs stand; `given_up` says why some will not be done."""

    @abstractmethod
    def close(self) -> None:
        """Ends what is still open."""


@final
class PlainView(View):
    """Lines alone, as for a log file."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def line(self, text: str) -> None:
        """Write a line and flush it."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def show(self, given_up: dict[str, str]) -> None:
        """Show nothing: `nppac-run status` does."""

    def close(self) -> None:
        """There is nothing open."""


@final
class LiveView(View):
    """Lines above a table of all runs."""

    def __init__(
        self, study: Study, stream: TextIO, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self._study = study
        self._clock = clock
        self._shown = -_REFRESH
        self._known: dict[str, Progress] = {}
        self._console = Console(file=stream)
        self._live = Live(console=self._console, auto_refresh=False)
        self._live.start()

    def line(self, text: str) -> None:
        """Show a line above the table."""
        self._console.print(text, markup=False, highlight=False)

    def show(self, given_up: dict[str, str]) -> None:
        """Renews the table, once a second; what is done is read once."""
        if self._clock() - self._shown < _REFRESH:
            return
        self._shown = self._clock()
        found = read_all(self._study, given_up, self._known)
        self._known = {name: one for name, one in found.items() if one.state is State.DONE}
        rows = max(self._console.height - 5, 5)
        self._live.update(live_table(found, self._console.width, rows), refresh=True)

    def close(self) -> None:
        """Leaves the last table."""
        self._live.stop()


def read_all(
    study: Study, given_up: dict[str, str], known: dict[str, Progress] | None = None
) -> dict[str, Progress]:
    """How all runs stand, by their names; `known` is not read again."""
    known = known or {}
    return {
        run.name: known.get(run.name) or read_progress(run, given_up.get(run.name, ""))
        for run in study.runs
    }


def open_view(study: Study, stream: TextIO) -> View:
    """A live table where `stream` is a terminal that can move its cursor, else lines."""
    if not stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return PlainView(stream)
    return LiveView(study, stream)
