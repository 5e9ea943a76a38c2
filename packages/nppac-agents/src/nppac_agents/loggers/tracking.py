"""The adapter for services that keep the curves of many runs and speak wandb's language.

A run is known to its service by the run's own id, so that a resume goes on with the same tracked
run. No service takes back what it was told: how far that was is kept in the run directory, and what
a resumed run says again is left out. Services write with a delay, and lose what they hold back when
they are killed: a position is kept once the service has had the time to write.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from nppac_priors.atomic_files import write_json
from nppac_priors.errors import ConfigError, DataError
from nppac_priors.plugin_origin import in_one_line, let_interruption_pass
from nppac_priors.strict_json import read_json

from nppac_agents.loggers.logger import POSITION, LoggerConfig
from nppac_agents.loggers.series import axis_of, series_of
from nppac_agents.metrics_file import METRICS_FILE, read_metrics


class TrackingConfig(LoggerConfig):
    """A service whose library is called as its kind, and is an extra of this package.

    Attributes:
        write_delay: seconds after which the service has surely written what it was told.
    """

    write_delay: ClassVar[float]

    def require(self) -> None:
        """Refuses where the library is not installed."""
        found = importlib.util.find_spec(self.kind)
        if found is None or found.origin is None:  # a folder of that name is no library
            raise ConfigError(
                f"logging.loggers: {self.kind} is not installed: "
                f"pip install 'nppac-agents[{self.kind}]'"
            )

    def open(self, run_dir: Path) -> Tracker:
        """Goes on with what the service knows of this run, or tells it of a new one."""
        return Tracker(self, run_dir)

    @abstractmethod
    def start(self, run_dir: Path, run_id: str, experiment: dict[str, Any]) -> Any:
        """What takes `log(numbers, step=...)` and `finish()` for a run, new or resumed.

        Args:
            run_dir: the run directory, after whose name the tracked run is called.
            run_id: the run's own, in hexadecimal.
            experiment: its config, as JSON data.
        """

    @abstractmethod
    def step(self, event: Mapping[str, Any], axis: str) -> int:
        """The service's own count for an event, whose x axis is its number `axis`."""


class Tracker:
    """Tells one service; where that fails, one line says so, and the run goes on untracked.

    Rows have numbers by the names `phase/name`, and the position. What the run wrote before the
    service was told anything, it is told first.
    """

    def __init__(self, config: TrackingConfig, run_dir: Path) -> None:
        self._config = config
        self._run: Any = None
        self._told_file = run_dir / f"{config.kind}.json"
        self._written: dict[str, list[int]] = {}
        self._unwritten: deque[tuple[float, str, list[int]]] = deque()
        with self._outage():
            self._run_id = read_json(run_dir / "environment.json")["run_id"]
            if self._told_file.exists():
                self._written = _told(self._told_file, self._run_id)
            self._told = dict(self._written)
            self._experiment = read_json(run_dir / "config.json")
            self._run = config.start(run_dir, self._run_id, self._experiment)
            metrics = run_dir / METRICS_FILE
            for event in read_metrics(metrics) if metrics.exists() else ():
                self.write(event)

    def write(self, event: Mapping[str, Any]) -> None:
        """The numbers of one event, unless the service was told of it before a resume."""
        series = series_of(event)
        numbers = {
            f"{series}/{name}": value
            for name, value in event.items()
            if name not in POSITION and isinstance(value, int | float)
        }
        position = [event["env_steps"], event["updates"]]
        if self._run is None or not numbers or position <= self._told.get(series, []):
            return
        numbers |= {name: event[name] for name in ("env_steps", "updates", "wall_seconds")}
        with self._outage():
            step = self._config.step(event, axis_of(event["phase"], self._experiment))
            self._run.log(numbers, step=step)
            self._told[series] = position
            self._unwritten.append((time.monotonic(), series, position))
            self._keep(time.monotonic() - self._config.write_delay)

    def close(self) -> None:
        """The run ends, or is interrupted."""
        if self._run is not None:
            with self._outage():
                self._run.finish()
                self._keep(time.monotonic())
            self._run = None

    def _keep(self, until: float) -> None:
        """Keeps the positions of what was told until then."""
        kept = False
        while self._unwritten and self._unwritten[0][0] <= until:
            _, series, self._written[series] = self._unwritten.popleft()
            kept = True
        if kept:
            write_json(self._told_file, {"run_id": self._run_id, "told": self._written})

    @contextlib.contextmanager
    def _outage(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            let_interruption_pass(error)
            self._run = None
            reason = str(error) if isinstance(error, DataError) else in_one_line(error)
            warn(f"{self._config.kind}: {reason}; the run goes on, untracked from here")


def _told(path: Path, run_id: str) -> dict[str, list[int]]:
    """Up to which position (environment steps, updates) a service was told each series.

    Raises:
        DataError: the file is of another run, or no such record.
    """
    record = read_json(path)
    told = record.get("told") if isinstance(record, dict) else None
    if not (isinstance(told, dict) and all(map(_is_position, told.values()))) or (
        record["run_id"] != run_id
    ):
        raise DataError(
            f"{path.name} is no record of what this run told; remove it, and a resume tells all "
            "of it anew"
        )
    return told


def _is_position(value: Any) -> bool:
    return isinstance(value, list) and [type(number) for number in value] == [int, int]


def warn(problem: str) -> None:
    """One line for whoever watches the run."""
    print(f"warning: {problem}", file=sys.stderr, flush=True)
