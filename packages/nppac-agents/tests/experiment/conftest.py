"""Fixtures: a small valid experiment, as data and as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parents[4]


@pytest.fixture
def experiment() -> dict[str, Any]:
    """A valid experiment; its demonstrations are not there."""
    return json.loads((Path(__file__).parent / "valid.json").read_text())


@pytest.fixture
def experiment_file(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes data as `door.json`."""

    def write(data: Any) -> Path:
        path = tmp_path / "door.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    return write
