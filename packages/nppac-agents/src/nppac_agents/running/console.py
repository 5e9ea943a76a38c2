"""What a run shows while it goes on: bars on a terminal, plain lines in a log file.

`open_console` chooses. A run talks to `Console` only: a `stage` for everything that has steps, a
`line` for everything worth keeping.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO, final

if TYPE_CHECKING:
    from nppac_priors.progress import Progress


class Stage(ABC):
    """Something with steps that is going on."""

    @abstractmethod
    def advance(self, done: int, **values: float) -> None:
        """Reports that `done` steps are done, in all, and the values worth showing now."""


class Console(ABC):
    """Where a run reports to."""

    def __init__(self) -> None:
        self._fit = contextlib.ExitStack()
        self._fit_stage: tuple[str, Stage] | None = None

    @abstractmethod
    def stage(self, name: str, total: int | None) -> contextlib.AbstractContextManager[Stage]:
        """Opens a stage of `total` steps, or of unknown length; it ends with the context."""

    @abstractmethod
    def line(self, text: str) -> None:
        """Shows a line that stays."""

    def prior_progress(self, progress: Progress) -> None:
        """Shows a report of a fit: every new name opens a stage, the last step closes it."""
        if self._fit_stage is None or self._fit_stage[0] != progress.stage:
            self._fit.close()
            stage = self._fit.enter_context(self.stage(progress.stage, progress.total))
            self._fit_stage = progress.stage, stage
        self._fit_stage[1].advance(progress.done, **progress.values)
        if progress.done >= progress.total:
            self.close()

    def close(self) -> None:
        """Ends what is still open; safe to call at any time."""
        self._fit_stage = None
        self._fit.close()


def open_console(*, quiet: bool = False, stream: TextIO | None = None) -> Console:
    """Bars where `stream` (standard output) is a terminal that can move its cursor, else lines.

    Args:
        quiet: show no stages, only lines.
        stream: instead of standard output.
    """
    output = sys.stdout if stream is None else stream
    if quiet or not output.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return PlainConsole(output, quiet=quiet)
    from nppac_agents.running.terminal_console import TerminalConsole

    return TerminalConsole(output)


@final
class PlainConsole(Console):
    """One line now and then: at most every `interval` seconds of a stage, and at its end."""

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._quiet = quiet
        self._interval = interval
        self._clock = clock

    @contextlib.contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Stage]:
        """Opens a stage; its last line tells how long it took."""
        show = (lambda text: None) if self._quiet else self.line
        stage = _PlainStage(name, total, show, self._interval, self._clock)
        try:
            yield stage
        finally:
            stage.end()

    def line(self, text: str) -> None:
        """Writes a line and flushes it, so that a log file can be followed."""
        self._stream.write(text + "\n")
        self._stream.flush()


@final
class _PlainStage(Stage):
    def __init__(
        self,
        name: str,
        total: int | None,
        show: Callable[[str], None],
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._name, self._total, self._show = name, total, show
        self._interval, self._clock = interval, clock
        self._started = self._shown = clock()
        self._first: tuple[int, float] | None = None
        self._done = 0
        self._values: dict[str, float] = {}

    def advance(self, done: int, **values: float) -> None:
        now = self._clock()
        self._first = self._first or (done, now)
        self._done = done
        self._values |= values
        if now - self._shown >= self._interval:
            self._shown = now
            self._show(self._text(_duration_left(self._first, now, done, self._total)))

    def end(self) -> None:
        self._show(self._text(f"took {duration(self._clock() - self._started)}"))

    def _text(self, timing: str) -> str:
        parts = [f"{self._name}: {steps(self._done, self._total)}", timing]
        return ", ".join([part for part in parts if part] + shown_values(self._values))


def _duration_left(first: tuple[int, float], now: float, done: int, total: int | None) -> str:
    first_done, first_time = first
    if total is None or done <= first_done:
        return ""
    return f"{duration((total - done) * (now - first_time) / (done - first_done))} left"


def steps(done: int, total: int | None) -> str:
    """`1,200/20,000`, or `1,200` where the total is unknown."""
    return f"{done:,}" if total is None else f"{done:,}/{total:,}"


def duration(seconds: float) -> str:
    """`0:07`, `12:30` or `1:02:03`."""
    minutes, seconds = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def shown_values(values: dict[str, float]) -> list[str]:
    """`success_ever=0.9` as `success ever 0.9`, `updates_per_second=25.0` as `updates/s 25`."""
    return [
        f"{name.replace('_per_second', '/s').replace('_', ' ')} {value:.3g}"
        for name, value in values.items()
    ]
