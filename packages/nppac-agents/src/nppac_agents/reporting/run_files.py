"""What a run directory holds, read back from its files alone.

No plugin and no configuration class is needed: whoever has the files can read the run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nppac_priors.errors import DataError
from nppac_priors.user_files import existing_file

from nppac_agents.metrics_file import METRICS_FILE, read_metrics
from nppac_agents.reporting.frames import Frames, load_frames
from nppac_agents.reporting.measures import told_throughout


class Logged(NamedTuple):
    """One event of the metrics file, and its line there, from 0."""

    line: int
    event: dict[str, Any]


@dataclass(frozen=True)
class RunFiles:
    """The files of one run; None, or empty, for what is not there (yet).

    Where an evaluation of the run tells success, one that tells none has none; see
    `told_throughout`.
    """

    path: Path
    config: dict[str, Any]
    environment: dict[str, Any]
    summary: dict[str, Any] | None
    events: list[dict[str, Any]]
    prior_std: dict[str, Any] | None
    frames: Frames | None

    @classmethod
    def read(cls, path: str | Path) -> RunFiles:
        """Read a run directory, of a finished run or not.

        Raises:
            DataError: it is no run directory, or one of its files is damaged.
        """
        path = Path(path)
        metrics = path / METRICS_FILE
        if not (path / "config.json").is_file() and not metrics.is_file():
            raise DataError(
                f"{path}: neither config.json nor {METRICS_FILE} is in {path.absolute()}; give a "
                "run directory"
            )
        frames = path / "frames.npz"
        return cls(
            path=path,
            config=_read_json(path / "config.json") or {},
            environment=_read_json(path / "environment.json") or {},
            summary=_read_json(path / "summary.json"),
            events=told_throughout(_read_events(metrics)),
            prior_std=_read_json(path / "prior_std.json"),
            frames=load_frames(frames) if frames.is_file() else None,
        )

    def setting(self, *keys: str) -> Any:
        """A value in the config by its path, such as `("env", "kind")`; None where it is not."""
        value: Any = self.config
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    @property
    def seed(self) -> int | None:
        """Of the run."""
        seed = self.setting("seed")
        return seed if seed is not None else (self.summary or {}).get("seed")

    @property
    def evaluations(self) -> list[Logged]:
        """All evaluations on the selection starts, in the order in which they were made."""
        return list(self._logged("evaluation"))

    @property
    def reported(self) -> Logged | None:
        """The last policy on the reporting starts."""
        return self._judged("last")

    @property
    def reported_best(self) -> Logged | None:
        """The best policy there; None where it is the last, or none was played."""
        return self._judged("best")

    def _judged(self, policy: str) -> Logged | None:
        found = self._logged("reporting")
        return next((one for one in found if one.event.get("policy", "last") == policy), None)

    def training(self, phase: str) -> list[dict[str, Any]]:
        """The training events of one phase."""
        return [logged.event for logged in self._logged("train") if logged.event["phase"] == phase]

    @property
    def training_phases(self) -> list[str]:
        """The phases that have training events, in order of their first."""
        return list(dict.fromkeys(logged.event["phase"] for logged in self._logged("train")))

    def _logged(self, kind: str) -> Iterator[Logged]:
        for line, event in enumerate(self.events):
            if event["event"] == kind:
                yield Logged(line, event)


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    existing_file(path, DataError)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(data, dict):
        raise DataError(f"{path}: holds a {type(data).__name__}; it has to hold a JSON object")
    return data


def _read_events(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        return read_metrics(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON lines: {error}") from error
