"""The process of one run: how every executor starts it, and how it is asked to stop elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from nppac_priors.cli.exit_code import ExitCode

from nppac_agents.running.lock import living_owner
from nppac_agents.studies.executor import Job

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def start_process(
    arguments: Sequence[str],
    log: Path,
    threads: int,
    *,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `nppac-run` in a session of its own, so that Ctrl-C reaches it through us alone.

    It hears none of the signals by which schedulers warn whoever started it.

    Args:
        arguments: what follows `nppac-run`.
        log: where its output is appended.
        threads: that it computes with.
        variables: of its environment, beside those of this process.
        folder: in which it starts; the current one unless given.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "nppac_agents", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | dict.fromkeys(_THREADS, str(threads)) | dict(variables or {}),
            cwd=folder,
            start_new_session=True,
            preexec_fn=_ignore_warnings,
        )


def _ignore_warnings() -> None:
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)


@final
class FoundRun(Job):
    """A run that another process runs, such as one that a killed sweep has left behind.

    Args:
        lock: of its run directory.
    """

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def poll(self) -> int | None:
        """Done once nobody owns the run directory any more."""
        return ExitCode.DONE if living_owner(self._lock) is None else None

    def stop(self) -> None:
        """Asks a process of this machine; one of another is only waited for."""
        owner = living_owner(self._lock)
        if owner is not None and owner.is_here:
            with contextlib.suppress(OSError):
                os.kill(owner.pid, signal.SIGTERM)
