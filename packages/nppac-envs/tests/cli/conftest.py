"""Fixtures: the command in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from nppac_envs.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: list[str]


@pytest.fixture
def nppac_demos(capsys, tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs the command in an empty directory; returns exit code, output and error lines."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINARI_DATASETS_PATH", raising=False)

    def run(*argv: object) -> Result:
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return Result(int(code), captured.out, captured.err.splitlines())

    return run
