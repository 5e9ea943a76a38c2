"""Packages under `third_party` are not installed here; `test_third_party.py` runs their tests."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

collect_ignore = ["third_party"]
ROOT = Path(__file__).parents[1]


@pytest.fixture
def fresh_python(tmp_path: Path) -> Callable[..., str]:
    """Runs Python with some packages in a virtual environment made for it; returns its output."""

    def run(packages: list[str], *arguments: str | Path) -> str:
        venv.create(tmp_path / "fresh")
        python = tmp_path / "fresh" / "bin" / "python"
        own = [ROOT / "packages" / name for name in packages if name.startswith("nppac-")]
        others = [name for name in packages if not name.startswith("nppac-")]
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
        options = ["--no-compile", "-c", ROOT / "constraints.txt"]
        subprocess.run([*pip, *options, *own, *others], check=True)
        elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [python, *arguments], check=True, capture_output=True, text=True, env=elsewhere
        ).stdout

    return run
