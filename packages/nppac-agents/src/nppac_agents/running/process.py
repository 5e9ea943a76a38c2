"""Which process on which machine: an identity that outlives the process and is never another's."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import final


@final
@dataclass(frozen=True)
class Process:
    """A process, dead or alive.

    Attributes:
        host: the machine's name.
        machine: what tells machines of one name apart, and one machine's boots and containers.
        pid: process id.
        started: when it started, in the system's own terms; tells apart processes with one id.
    """

    host: str
    machine: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> Process:
        """The process that asks."""
        pid = os.getpid()
        return cls(platform.node(), _machine(), pid, start_of(pid) or "")

    @property
    def is_here(self) -> bool:
        """Whether it ran, or runs, where this process does, so that its end can be seen."""
        return (self.host, self.machine) == (platform.node(), _machine())

    @property
    def is_running(self) -> bool:
        """Whether it runs; only for a process that `is_here`."""
        return start_of(self.pid) == self.started


def start_of(pid: int) -> str | None:
    """When the process with this id started; None where none runs."""
    if sys.platform == "linux":
        try:
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        except OSError:
            return None
        return None if state in "ZX" else fields[18]
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return listed.stdout.strip() or None


def _machine() -> str:
    parts = []
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)
