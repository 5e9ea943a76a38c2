"""The console of a terminal: a bar per stage, drawn by rich."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TextIO, final

import rich.console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as TimeLeftColumn

from nppac_agents.running.console import Console, Stage, shown_values, steps


@final
class TerminalConsole(Console):
    """Bars with the time left and the latest values; a finished bar stays on the screen."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._console = rich.console.Console(file=stream, highlight=False)
        self._bars: Progress | None = None

    @contextlib.contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Stage]:
        """Open a bar; one within another stage disappears when it ends."""
        if self._bars is None:
            with self._open_bars() as bars:
                yield _Bar(bars, name, total)
            return
        bar = _Bar(self._bars, name, total)
        try:
            yield bar
        finally:
            bar.remove()

    @contextlib.contextmanager
    def _open_bars(self) -> Iterator[Progress]:
        bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[steps]}", markup=False),
            TimeElapsedColumn(),
            TimeLeftColumn(compact=True),
            TextColumn("{task.fields[values]}", markup=False, style="dim"),
            console=self._console,
            refresh_per_second=4,
        )
        self._bars = bars
        try:
            with bars:
                yield bars
        finally:
            self._bars = None

    def line(self, text: str) -> None:
        """Print above the bar."""
        self._console.print(text, markup=False, soft_wrap=True)


@final
class _Bar(Stage):
    def __init__(self, progress: Progress, name: str, total: int | None) -> None:
        self._progress, self._total = progress, total
        self._task = progress.add_task(name, total=total, steps=steps(0, total), values="")
        self._values: dict[str, float] = {}

    def advance(self, done: int, **values: float) -> None:
        self._values |= values
        self._progress.update(
            self._task,
            completed=done,
            steps=steps(done, self._total),
            values="  ".join(shown_values(self._values)),
        )

    def remove(self) -> None:
        """Take the bar off the screen."""
        self._progress.remove_task(self._task)
