"""`ray`: runs as plain tasks on a Ray cluster, which starts lost ones again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, final

from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.errors import ConfigError
from pydantic import Field

from nppac_agents.studies.executor import Executor, ExecutorError, Job, Task, Threads, Workers
from nppac_agents.studies.remote_run import RemoteRun

if TYPE_CHECKING:
    import ray


class RayExecutor(Executor):
    """Tasks on a Ray cluster, whose nodes share the current directory with this machine."""

    kind: Literal["ray"] = "ray"  # pyright: ignore[reportIncompatibleVariableOverride]
    address: str | None = None
    """Of a cluster that runs, such as HOST:6379, or `auto`; null to start one on this machine."""
    threads: Threads = 1
    gpus: float = Field(default=0.0, ge=0)
    """GPUs of each run; shares are allowed."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory of each run, in GB; null for no limit."""
    resources: dict[str, float] = Field(default={})
    """Other resources of the cluster that each run takes."""
    retries: int = Field(default=3, ge=0)
    """How often Ray starts a run again whose worker or node was lost."""

    @contextlib.contextmanager
    def open(self) -> Iterator[Workers]:
        """The cluster; one that was started here ends with it."""
        ray = _imported()
        _require_reachable(self.address)
        local: dict[str, Any] = {} if self.address else {"include_dashboard": False}
        try:
            ray.init(self.address or "local", log_to_driver=False, logging_level="ERROR", **local)
        except Exception as error:  # Ray raises bare ones, too
            where = f"at {self.address}" if self.address else "on this machine"
            reason = " ".join(str(error).split())
            raise ExecutorError(f"executor ray: no cluster {where}: {reason}") from None
        try:
            yield _RayWorkers(self, ray)
        finally:
            ray.shutdown()


def _imported() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError('executor ray needs Ray: pip install "nppac-agents[ray]"') from None
    return ray


def _require_reachable(address: str | None) -> None:
    """Refuses an address where nobody answers, for which Ray waits several minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit() and "/" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            raise ExecutorError(
                f"executor ray: no cluster at {address}: {error.strerror or error}; give the "
                "address of one that runs, or none to start one here"
            ) from None


@final
class _RayWorkers(Workers):
    def __init__(self, config: RayExecutor, module: Any) -> None:
        self._config, self._ray = config, module
        memory = None if config.memory_gb is None else config.memory_gb * 2**30
        self._remote = module.remote(_call).options(
            num_cpus=config.threads,
            num_gpus=config.gpus,
            memory=memory,
            resources=config.resources,
            max_retries=config.retries,
        )

    @property
    def places(self) -> int:
        """As many as the cluster has room for now; nodes may come and go."""
        config = self._config
        needs = {"CPU": config.threads, "GPU": config.gpus, **config.resources}
        there = self._ray.cluster_resources()
        return max(min(int(there.get(name, 0) // n) for name, n in needs.items() if n), 1)

    def start(self, task: Task) -> Job:
        run = RemoteRun.of(task, self._config.threads)
        return _RayJob(self._ray, run, self._remote.remote(run))


def _call(run: RemoteRun) -> int:
    return run()


@final
class _RayJob(Job):
    def __init__(self, module: Any, run: RemoteRun, result: ray.ObjectRef[int]) -> None:
        self._ray, self._run, self._result = module, run, result
        self._stops = 0

    def poll(self) -> int | None:
        ready, _ = self._ray.wait([self._result], timeout=0)
        if not ready:
            return None
        errors = self._ray.exceptions
        try:
            return self._ray.get(self._result)
        except errors.TaskCancelledError:
            return ExitCode.INTERRUPTED
        except (errors.WorkerCrashedError, errors.NodeDiedError):
            return -signal.SIGKILL
        except errors.RayError as error:
            with self._run.log.open("a", encoding="utf-8") as log:
                log.write(f"error: {str(error).strip().splitlines()[-1]}\n")
            return ExitCode.FAILED

    def stop(self) -> None:
        """Asks through a file; the second time, Ray ends the task."""
        self._stops += 1
        self._run.stop_file.touch()
        if self._stops > 1:
            self._ray.cancel(self._result)
