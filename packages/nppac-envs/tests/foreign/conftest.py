from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest


@pytest.fixture
def lab_arm(monkeypatch) -> Any:
    """The module `lab_arm` as an installed one."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield importlib.import_module("lab_arm")
    sys.modules.pop("lab_arm", None)
    for name in ("LabArm-v0", "LabArmEndless-v0"):
        gymnasium.registry.pop(name, None)
