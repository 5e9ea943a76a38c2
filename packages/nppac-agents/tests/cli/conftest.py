"""Fixtures: the command in this process, with a stand-in for the run itself."""

from __future__ import annotations

import os
import shutil
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from nppac_agents.cli import main


class Result(NamedTuple):
    code: int
    out: str
    err: list[str]


@pytest.fixture
def config(tmp_path) -> Path:
    """A valid experiment as `door.json`; its demonstrations are not there."""
    path = tmp_path / "door.json"
    shutil.copy(Path(__file__).parents[1] / "experiment" / "valid.json", path)
    return path


@pytest.fixture
def nppac_run(capsys, tmp_path, monkeypatch) -> Callable[..., Result]:
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
def runs(monkeypatch) -> list[dict[str, Any]]:
    """The calls of `run_experiment`, which does nothing."""
    calls = []
    _replace_run(monkeypatch, lambda config, **options: calls.append({"config": config, **options}))
    return calls


@pytest.fixture
def failing_run(monkeypatch) -> Callable[[BaseException], None]:
    """Makes `run_experiment` raise; it writes metrics first if told to."""

    def set_error(error: BaseException, *, after_metrics: bool = False) -> None:
        def fail(config: Any, *, run_dir: Any, **_: Any) -> None:
            if after_metrics:
                run_dir.metrics.write_text("")
            raise error

        _replace_run(monkeypatch, fail)

    return set_error


@pytest.fixture
def signalled_run(monkeypatch) -> Callable[[int, tuple[str, ...]], None]:
    """Makes `run_experiment` write files, then send its process a signal, then wait."""

    def set_signal(number: int, files: tuple[str, ...]) -> None:
        def run(config: Any, *, run_dir: Any, **_: Any) -> None:
            for name in files:
                (run_dir.path / name).write_text("x")
            os.kill(os.getpid(), number)
            time.sleep(20)

        _replace_run(monkeypatch, run)

    return set_signal


def _replace_run(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]) -> None:
    module = types.ModuleType("nppac_agents.running.run")
    module.run_experiment = function  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.fixture
def plugin_folder(tmp_path) -> Callable[[str, str, str, str], Path]:
    """Writes a distribution with one plugin into a folder for PYTHONPATH."""

    def write(group: str, distribution: str, module: str, source: str) -> Path:
        folder = tmp_path / "site"
        info = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{module} = {module}\n")
        (folder / f"{module}.py").write_text(source)
        return folder

    return write
