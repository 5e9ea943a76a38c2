"""The contract of executors: whoever starts the runs of a study, on whatever machines.

An executor is a config, as every component is; `open` gives its workers. A run is one process of
`nppac-run`, which goes on from what is in its run directory, so that an executor needs to know
nothing of runs but how to start such a process and how to ask it to stop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from nppac_priors.config import ComponentConfig
from nppac_priors.errors import NppacError
from pydantic import Field

Threads = Annotated[
    int,
    Field(
        ge=1,
        description="Cores and threads of each run. Runs are equal to the bit only where they have "
        "equally many.",
    ),
]
"""What executors call `threads`"""


class ExecutorError(NppacError):
    """Workers that do not answer."""


@dataclass(frozen=True)
class Task:
    """One process of `nppac-run`.

    Attributes:
        name: of the run, for people.
        arguments: what follows `nppac-run`; paths are relative to the current directory. The same
            arguments start the run and go on with it.
        log: where its output is appended; the folder is there, and beside the log is room for
            files of the same name with other suffixes.
        directory: the run directory.
        folder: the study's; files of an executor go to its `jobs/`.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    directory: Path
    folder: Path


class Job(ABC):
    """A task that has been started."""

    @abstractmethod
    def poll(self) -> int | None:
        """The exit code, negative for a signal; None as long as it runs."""

    @abstractmethod
    def stop(self) -> None:
        """Asks it, as Ctrl-C does, to write a checkpoint and end; the second time, to end now."""


class Workers(ABC):
    """What an open executor has to run tasks with."""

    @property
    @abstractmethod
    def places(self) -> int:
        """How many tasks may run at a time."""

    @abstractmethod
    def start(self, task: Task) -> Job:
        """Start a task; only while fewer than `places` run."""


class Executor(ComponentConfig, ABC):
    """Where and how the runs of a study run."""

    @abstractmethod
    def open(self) -> AbstractContextManager[Workers]:
        """The workers; closed when nothing runs any more that they have started.

        Raises:
            ConfigError: they cannot be had here.
            ExecutorError: they cannot be had now.
        """
