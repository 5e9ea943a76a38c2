"""What a long fit reports while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """One report: `done` of `total` steps of `stage`, with the values worth showing now."""

    stage: str
    done: int
    total: int
    values: dict[str, float]


ProgressCallback = Callable[[Progress], None]
