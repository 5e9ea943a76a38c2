"""The run's event log: one JSON object per line, readable at any moment, also after a kill."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nppac_priors.atomic_files import finite
from nppac_priors.errors import DataError

METRICS_FILE = "metrics.jsonl"


class DamagedMetricsError(DataError):
    """A metrics file that does not begin with what a checkpoint has seen in it."""


class MetricsMark(NamedTuple):
    """What a metrics file held: its size in bytes, and their SHA-256 (hex)."""

    size: int
    sha256: str

    def check(self, path: Path) -> None:
        """Look whether the file still begins with the same bytes.

        Raises:
            DamagedMetricsError: it does not, or it is missing.
        """
        try:
            data = path.read_bytes()[: self.size]
        except OSError as error:
            raise DamagedMetricsError(f"{path}: cannot be read: {error.strerror}") from None
        if len(data) < self.size or hashlib.sha256(data).hexdigest() != self.sha256:
            raise DamagedMetricsError(
                f"{path}: damaged: its first {self.size:,} bytes are not those of the checkpoint"
            )


class MetricsWriter:
    """Appends events to `metrics.jsonl`, each flushed as one line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._digest = hashlib.sha256(path.read_bytes())

    def write(self, event: Mapping[str, Any]) -> None:
        """Append one event; numbers that are not finite become null."""
        line = (json.dumps(finite(event), allow_nan=False) + "\n").encode()
        self._file.write(line)
        self._file.flush()
        self._digest.update(line)

    def mark(self) -> MetricsMark:
        """What the file holds now, and it is on the disk."""
        os.fsync(self._file.fileno())
        return MetricsMark(self._file.tell(), self._digest.hexdigest())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole events of a metrics file; a last line that a kill cut short is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
