"""What a run tells the world while it learns: events for the metrics file and for its loggers."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from nppac_envs.measures import Measures

from nppac_agents.loggers.logger import Logger
from nppac_agents.metrics_file import MetricsMark, MetricsWriter
from nppac_agents.phase import Losses
from nppac_agents.running.divergence import DivergedError
from nppac_agents.stopwatch import Stopwatch


class Recorder:
    """Averages losses between two lines of metrics, without reading them off the device.

    Attributes:
        env_steps: environment steps so far.
        updates: updates so far, of any phase.
        stopwatch: what the run's time was spent on.
    """

    def __init__(
        self, metrics: Path, loggers: Sequence[Logger] = (), stopwatch: Stopwatch | None = None
    ) -> None:
        self.stopwatch = stopwatch or Stopwatch()
        self.env_steps = 0
        self.updates = 0
        self._writer = MetricsWriter(metrics)
        self._loggers: tuple[Logger, ...] = (self._writer, *loggers)
        self._start = time.perf_counter()
        self._sums: dict[str, torch.Tensor] = {}
        self._counts: dict[str, int] = {}
        self._last = self._start, 0, 0

    @property
    def wall_seconds(self) -> float:
        """Seconds of this run, those before a resume included."""
        return time.perf_counter() - self._start

    def time_spent(self) -> dict[str, float]:
        """`wall_seconds` by what they were spent on."""
        spent = self.stopwatch.seconds
        return {**spent, "rest": self.wall_seconds - sum(spent.values())}

    def add(self, losses: Losses) -> None:
        """Count one update and add its losses to the running means.

        A sum stays NaN or infinite once a loss was: `require_finite` misses none, however late
        it reads them off the device. On the CPU reading costs nothing, and is done at once.

        Raises:
            DivergedError: a loss is not finite.
        """
        self.updates += 1
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1
            if value.device.type == "cpu":
                self._require_finite(name, value.item())

    def require_finite(self) -> None:
        """Look at all losses since the last line.

        Raises:
            DivergedError: one is not finite; names the quantity and the update.
        """
        for name, total in self._sums.items():
            self._require_finite(name, total.item())

    @property
    def position(self) -> str:
        """Where the run is, for messages."""
        return f"by update {self.updates} ({self.env_steps} environment steps)"

    def write_training(self, phase: str, **extra: float | None) -> dict[str, float]:
        """Write the means since the last line; return them.

        Raises:
            DivergedError: a mean is not finite; names the quantity and the update.
        """
        means = {name: (self._sums[name] / self._counts[name]).item() for name in self._sums}
        self._sums, self._counts = {}, {}
        now, (then, env_steps, updates) = time.perf_counter(), self._last
        self._last = now, self.env_steps, self.updates
        speeds = {
            "updates_per_second": (self.updates - updates) / (now - then),
            "env_steps_per_second": (self.env_steps - env_steps) / (now - then),
        }
        self._write("train", phase, {**means, **extra, **speeds})
        for name, value in means.items():
            self._require_finite(name, value)
        return means

    def _require_finite(self, name: str, value: float) -> None:
        if not math.isfinite(value):
            raise DivergedError(f"{name} is {value} {self.position}")

    def write_evaluation(
        self,
        measures: Measures,
        event: Literal["evaluation", "reporting"] = "evaluation",
        **extra: Any,
    ) -> None:
        """Write one evaluation: the measures, and their values for each episode."""
        fields = {
            **measures.means(),
            "episodes": len(measures.returns),
            "per_episode": measures.per_episode(),
        }
        self._write(event, event, {**fields, **extra})

    def write_changes(self, changes: Mapping[str, tuple[Any, Any]]) -> None:
        """Write which fields of the experiment a resume changes here: old and new value of each.

        They are none that the method depends on.
        """
        self._write("changes", "resume", {"changes": dict(changes)})

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """The losses not yet written, as tensors, and the counters, as JSON data."""
        counters = {
            "env_steps": self.env_steps,
            "updates": self.updates,
            "wall_seconds": self.wall_seconds,
            "time_spent": dict(self.stopwatch.seconds),
            "loss_counts": dict(self._counts),
        }
        return dict(self._sums), counters

    def load_state(self, sums: dict[str, torch.Tensor], counters: dict[str, Any]) -> None:
        """Continues from what `state()` returned."""
        self.env_steps, self.updates = counters["env_steps"], counters["updates"]
        self._start = time.perf_counter() - counters["wall_seconds"]
        self.stopwatch.seconds.update(counters["time_spent"])
        self._sums, self._counts = dict(sums), dict(counters["loss_counts"])
        self._last = time.perf_counter(), self.env_steps, self.updates

    def mark(self) -> MetricsMark:
        """What the metrics file holds, for a checkpoint."""
        return self._writer.mark()

    def close(self) -> None:
        """Close the files."""
        for logger in self._loggers:
            logger.close()

    def _write(self, event: str, phase: str, fields: dict[str, Any]) -> None:
        position = {
            "event": event,
            "phase": phase,
            "env_steps": self.env_steps,
            "updates": self.updates,
            "wall_seconds": round(self.wall_seconds, 3),
        }
        for logger in self._loggers:
            logger.write({**position, **fields})
