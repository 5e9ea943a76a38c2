"""`local`: runs as processes of this machine, each on processor cores of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Literal, final

from nppac_priors.errors import ConfigError
from pydantic import Field

from nppac_agents.studies.executor import Executor, Job, Task, Threads, Workers
from nppac_agents.studies.run_process import start_process


class LocalExecutor(Executor):
    """Processes on this machine."""

    kind: Literal["local"] = "local"  # pyright: ignore[reportIncompatibleVariableOverride]
    processes: int | None = Field(default=None, ge=1)
    """Runs at a time; null for as many as there are cores for."""
    threads: Threads = 1
    gpus: tuple[str, ...] = ()
    """CUDA devices, given to the processes in turn, such as 0 and 1; several processes may share
    one. Empty to leave the choice to each run."""

    @contextlib.contextmanager
    def open(self) -> Iterator[Workers]:
        """Workers on the cores that this process may use."""
        yield _LocalWorkers(self, available_cores())


def available_cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@final
class _LocalWorkers(Workers):
    """Slots with cores and a GPU each; with more processes than cores, cores are shared."""

    def __init__(self, config: LocalExecutor, cores: list[int]) -> None:
        if config.threads > len(cores):
            raise ConfigError(
                f"executor.threads: {config.threads} are more than the {len(cores)} cores here"
            )
        self._config = config
        self._cores = cores
        self._slots: list[_LocalJob | None] = [None] * (
            config.processes or len(cores) // config.threads
        )

    @property
    def places(self) -> int:
        """As configured, or as there are cores for."""
        return len(self._slots)

    def start(self, task: Task) -> Job:
        """Start a process on the cores of a free slot."""
        slot = next(i for i, job in enumerate(self._slots) if job is None or job.ended)
        process = start_process(
            task.arguments, task.log, self._config.threads, variables=self._device(slot)
        )
        if hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(process.pid, self._cores_of(slot))
        job = self._slots[slot] = _LocalJob(process)
        return job

    def _device(self, slot: int) -> dict[str, str]:
        gpus = self._config.gpus
        return {"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]} if gpus else {}

    def _cores_of(self, slot: int) -> list[int]:
        first = slot * self._config.threads
        return [self._cores[(first + i) % len(self._cores)] for i in range(self._config.threads)]


@final
class _LocalJob(Job):
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def poll(self) -> int | None:
        return self._process.poll()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
