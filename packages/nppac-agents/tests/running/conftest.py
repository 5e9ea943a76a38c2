"""Fixture: a small valid experiment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def experiment() -> dict[str, Any]:
    """A valid experiment; its demonstrations are not there."""
    return json.loads((Path(__file__).parents[1] / "experiment" / "valid.json").read_text())
