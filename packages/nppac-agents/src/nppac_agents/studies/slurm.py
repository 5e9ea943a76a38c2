"""`slurm`: runs as jobs of a Slurm cluster, through submitit.

Runs that are started together are one array. A job that is preempted, or whose time is over, has
its run write a checkpoint, and goes back into the queue. submitit hands a task to its job as a
pickle in the study's `jobs/`; a job answers with a number in a file, and no pickle is read back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from nppac_priors.atomic_files import write_json
from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.errors import ConfigError
from pydantic import Field

from nppac_agents.studies.executor import Executor, Job, Task, Threads, Workers
from nppac_agents.studies.remote_run import RemoteRun

if TYPE_CHECKING:
    import submitit

_SECONDS_TO_STOP = 120


class SlurmExecutor(Executor):
    """Jobs of a Slurm cluster, whose nodes share the current directory with this machine."""

    kind: Literal["slurm"] = "slurm"  # pyright: ignore[reportIncompatibleVariableOverride]
    cluster: Literal["slurm", "local"] = "slurm"
    """`local` starts submitit's jobs as processes of this machine, to try it out."""
    at_a_time: int = Field(default=100, ge=1)
    """Jobs in the queue at a time."""
    threads: Threads = 1
    gpus: int = Field(default=0, ge=0)
    """GPUs of each run."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory of each run, in GB; null for the cluster's default."""
    hours: float = Field(default=24.0, gt=0)
    """After so many, a job goes back into the queue."""
    requeues: int = Field(default=100, ge=0)
    """How often a job may go back because its time was over."""
    partition: str | None = None
    """Slurm's partition."""
    account: str | None = None
    """Slurm's account."""
    setup: tuple[str, ...] = ()
    """Shell commands before a job, such as one that loads a module."""
    options: dict[str, str | int | bool] = Field(default={})
    """Other options of sbatch, such as qos."""

    @contextlib.contextmanager
    def open(self) -> Iterator[Workers]:
        """Jobs of the cluster that this machine submits to."""
        yield _SlurmWorkers(self)

    def parameters(self, name: str) -> dict[str, Any]:
        """What submitit is told; a parameter of another cluster than `cluster` has no effect."""
        return {
            "name": name,
            "timeout_min": max(round(self.hours * 60), 1),
            "cpus_per_task": self.threads,
            "gpus_per_node": self.gpus,
            "mem_gb": self.memory_gb,
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_setup": list(self.setup),
            "slurm_signal_delay_s": _SECONDS_TO_STOP,
            "slurm_additional_parameters": self.options,
        }


@final
class _SlurmWorkers(Workers):
    """Tasks that are started between two looks at the jobs are submitted together."""

    def __init__(self, config: SlurmExecutor) -> None:
        try:
            import submitit
        except ImportError:
            raise ConfigError(
                'executor slurm needs submitit: pip install "nppac-agents[slurm]"'
            ) from None
        if config.cluster == "slurm" and shutil.which("srun") is None:
            raise ConfigError(
                "executor slurm: there is no srun here; sweep on a machine of the cluster, or try "
                "the study out with executor.cluster local"
            )
        self._submitit = submitit
        self._config = config
        self._new: list[_SlurmJob] = []

    @property
    def places(self) -> int:
        return self._config.at_a_time

    def start(self, task: Task) -> Job:
        job = _SlurmJob(SlurmRun.of(task, self._config.threads), task.folder / "jobs", self.submit)
        self._new.append(job)
        return job

    def submit(self) -> None:
        """Submit what was started since the last time, as one array."""
        new, self._new = self._new, []
        folder = new[0].folder
        folder.mkdir(parents=True, exist_ok=True)
        timeouts = {f"{self._config.cluster}_max_num_timeout": self._config.requeues}
        executor = self._submitit.AutoExecutor(folder, cluster=self._config.cluster, **timeouts)
        executor.update_parameters(**self._config.parameters(folder.parent.name))
        with executor.batch():
            jobs = [executor.submit(job.run) for job in new]
        for job, submitted in zip(new, jobs, strict=True):
            job.submitted = submitted


class SlurmRun(RemoteRun):
    """A run as a job: leaves its exit code beside its log, and makes way when it has to."""

    @property
    def exit_file(self) -> Path:
        """Has the exit code once the job ended."""
        return self.log.with_suffix(".exit")

    def __call__(self) -> int:
        """Run, and tell the exit code, which it also returns."""
        code = super().__call__()
        write_json(self.exit_file, {"exit_code": code})
        return code

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """What submitit asks for before the job goes back into the queue."""
        from submitit.helpers import DelayedSubmission

        self.stop()
        return DelayedSubmission(dataclasses.replace(self))

    def exit_code(self) -> int | None:
        """As it was told; None as long as it was not."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            return int(json.loads(self.exit_file.read_text(encoding="utf-8"))["exit_code"])
        return None


@final
class _SlurmJob(Job):
    def __init__(self, run: SlurmRun, folder: Path, submit: Any) -> None:
        run.exit_file.unlink(missing_ok=True)
        self.run, self.folder = run, folder
        self.submitted: submitit.Job[int] | None = None
        self._submit = submit
        self._stops = 0
        self._cancelled = False

    def poll(self) -> int | None:
        if self.submitted is None:
            self._submit()
        assert self.submitted is not None
        ended = self._cancelled or self.submitted.done()
        code = self.run.exit_code()
        if code is not None or not ended:
            return code
        return ExitCode.INTERRUPTED if self._cancelled else ExitCode.FAILED

    def stop(self) -> None:
        """Asks a running job through a file; takes a waiting one, or a stubborn one, away."""
        self._stops += 1
        self.run.stop_file.touch()
        if self.submitted is not None and (self._stops > 1 or self.submitted.state == "PENDING"):
            self.submitted.cancel(check=False)
            self._cancelled = True
