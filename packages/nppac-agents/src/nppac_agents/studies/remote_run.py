"""One run on a machine that the sweep does not see, as a scheduler's task.

The sweep's machine and the task's share a file system: `NAME.stop` beside the run's log asks the
task to have a checkpoint written and to end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from nppac_priors.cli.exit_code import ExitCode

from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.studies.executor import Task
from nppac_agents.studies.reached import is_finished
from nppac_agents.studies.run_process import FoundRun, start_process

_POLL = 0.2


@dataclass
class RemoteRun:
    """A task that any process on any machine of the shared file system may call.

    Whoever is called second for one run, as after a lost worker whose run lives on, waits for the
    first, and continues what that has left.

    Attributes:
        arguments: what follows `nppac-run`.
        log: where its output is appended.
        directory: the run directory.
        folder: that relative paths start from.
        threads: of the run.
    """

    arguments: tuple[str, ...]
    log: Path
    directory: Path
    folder: Path
    threads: int
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @classmethod
    def of(cls, task: Task, threads: int) -> Self:
        """The task, to be called from now on; nobody has asked it to stop."""
        log, directory = task.log.absolute(), task.directory.absolute()
        run = cls(tuple(task.arguments), log, directory, Path.cwd(), threads)
        run.stop_file.unlink(missing_ok=True)
        return run

    @property
    def stop_file(self) -> Path:
        """Asks the task to end."""
        return self.log.with_suffix(".stop")

    def __call__(self) -> int:
        """Run, or wait for whoever runs.

        Returns:
            The exit code, negative for a signal.
        """
        found = FoundRun(RunDirectory(self.directory).lock)
        self._wait(found)
        if is_finished(self.directory):
            return ExitCode.DONE
        if self.stop_file.exists():
            return ExitCode.INTERRUPTED
        self._process = start_process(self.arguments, self.log, self.threads, folder=self.folder)
        try:
            asked = False
            while self._process.poll() is None:
                if not asked and self.stop_file.exists():
                    asked = True
                    self._process.terminate()
                time.sleep(_POLL)
        finally:
            self._process.terminate()
        return self._process.returncode

    def stop(self) -> None:
        """From a signal's handler: have a checkpoint written, and wait until the process ended."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._process.pid, signal.SIGTERM)
                os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)

    def _wait(self, found: FoundRun) -> None:
        asked = False
        while found.poll() is None:
            if not asked and self.stop_file.exists():
                asked = True
                found.stop()
            time.sleep(_POLL)
