"""The run's event log: one JSON object per line, readable at any moment, also after a kill."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nppac_priors.atomic_files import finite, write_bytes

METRICS_FILE = "metrics.jsonl"


class MetricsWriter:
    """Appends events to ``metrics.jsonl``, each flushed as one line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, event: Mapping[str, Any]) -> None:
        """Appends one event; numbers that are not finite become null."""
        self._file.write(json.dumps(finite(event), allow_nan=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole events of a metrics file; a last line that a kill cut short is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def truncate_metrics(path: Path, env_steps: int, updates: int) -> None:
    """Drops the events after a checkpoint, before a resumed run writes them again."""
    kept = [
        event
        for event in read_metrics(path)
        if event["env_steps"] <= env_steps and event["updates"] <= updates
    ]
    write_bytes(path, "".join(json.dumps(event) + "\n" for event in kept).encode())
