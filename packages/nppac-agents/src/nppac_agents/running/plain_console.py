"""The console of a log file: a line now and then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TextIO, final

from nppac_agents.reporting.durations import duration
from nppac_agents.running.console import Console, Stage, shown_values, steps


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
        """Open a stage; its last line tells how long it took."""
        show = (lambda text: None) if self._quiet else self.line
        stage = _PlainStage(name, total, show, self._interval, self._clock)
        try:
            yield stage
        finally:
            stage.end()

    def line(self, text: str) -> None:
        """Write a line and flush it, so that a log file can be followed."""
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
