"""What a run reports to while it goes on.

A run talks to `Console` only: a `stage` for everything that has steps, a `line` for everything
worth keeping.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nppac_priors.progress import Progress


class Stage(ABC):
    """Something with steps that is going on."""

    @abstractmethod
    def advance(self, done: int, **values: float) -> None:
        """Report that `done` steps are done, in all, and the values worth showing now."""


class Console(ABC):
    """Where a run reports to."""

    def __init__(self) -> None:
        self._fit = contextlib.ExitStack()
        self._fit_stage: tuple[str, Stage] | None = None

    @abstractmethod
    def stage(self, name: str, total: int | None) -> contextlib.AbstractContextManager[Stage]:
        """Open a stage of `total` steps, or of unknown length; it ends with the context."""

    @abstractmethod
    def line(self, text: str) -> None:
        """Show a line that stays."""

    def prior_progress(self, progress: Progress) -> None:
        """Show a report of a fit: every new name opens a stage, the last step closes it."""
        if self._fit_stage is None or self._fit_stage[0] != progress.stage:
            self._fit.close()
            stage = self._fit.enter_context(self.stage(progress.stage, progress.total))
            self._fit_stage = progress.stage, stage
        self._fit_stage[1].advance(progress.done, **progress.values)
        if progress.done >= progress.total:
            self.close()

    def close(self) -> None:
        """End what is still open; safe to call at any time."""
        self._fit_stage = None
        self._fit.close()


def steps(done: int, total: int | None) -> str:
    """`1,200/20,000`, or `1,200` where the total is unknown."""
    return f"{done:,}" if total is None else f"{done:,}/{total:,}"


def shown_values(values: dict[str, float]) -> list[str]:
    """`success_ever=0.9` as `success ever 0.9`, `updates_per_second=25.0` as `updates/s 25`."""
    return [
        f"{name.replace('_per_second', '/s').replace('_', ' ')} {value:.3g}"
        for name, value in values.items()
    ]
