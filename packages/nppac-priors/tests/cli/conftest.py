"""Fixtures: the command in this process, and a small npz file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from nppac_priors.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: list[str]


@pytest.fixture
def nppac_prior(capsys, tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs the command in an empty directory; returns exit code, output and error lines."""
    monkeypatch.chdir(tmp_path)

    def run(*argv: object) -> Result:
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return Result(int(code), captured.out, captured.err.splitlines())

    return run


@pytest.fixture
def data(tmp_path) -> Path:
    """Six episodes of 20 steps, as `line.npz`."""
    draw = np.random.default_rng(0)
    states = draw.standard_normal((120, 3)).astype(np.float32)
    actions = np.tanh(states[:, :2]) * 0.8 + 0.1 * np.sin(7 * states[:, 1:])
    path = tmp_path / "line.npz"
    np.savez(path, states=states, actions=actions, episode_lengths=np.full(6, 20))
    return path
