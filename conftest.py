"""Fixtures of the tests of all packages."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

# Memory that nothing has written yet holds NaN in every test, as on some machine it will. On a GPU
# the same switch would choose other kernels than a run does.
torch.use_deterministic_algorithms(not torch.cuda.is_available(), warn_only=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder, beside the folder `here` that the test is started in."""
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"
