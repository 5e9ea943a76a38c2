"""The commands and the Python of the documentation run, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from nppac_envs.adroit.task import AdroitTask
from nppac_envs.cli import main

pytestmark = pytest.mark.medium

PAGE = Path(__file__).resolve().parents[3] / "docs" / "bring-your-own-demonstrations.md"


@pytest.fixture
def blocks() -> list[tuple[str, str]]:
    """Language and content of each fenced block."""
    if not PAGE.is_file():
        pytest.skip("the documentation is not beside the package")
    return re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_page_runs(blocks, tmp_path: Path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    frame = np.zeros((48, 48, 3), np.uint8)
    monkeypatch.setattr(AdroitTask, "render", lambda self: frame)  # needs no OpenGL
    namespace: dict[str, object] = {}
    commands = 0
    for language, content in blocks:
        if language == "python":
            exec(content, namespace)
        for line in content.splitlines() if language == "bash" else ():
            program, *arguments = shlex.split(line)
            assert program == "nppac-demos"
            assert main(arguments) == 0, f"{line}\n{capsys.readouterr().err}"
            commands += 1
    assert commands == 16
    for name in (
        "both.npz",
        "train.npz",
        "sets/mine/cleaned-v0/data",
        "robot/meta",
        "door.gif",
        "noise.npz",
    ):
        assert (tmp_path / name).exists()


def test_the_printed_summary_is_the_commands(blocks, capsys):
    shown = next(content for language, content in blocks if content.startswith("set "))
    assert main(["inspect", "door"]) == 0
    assert capsys.readouterr().out.startswith(shown)


def test_every_option_that_is_named_exists(blocks, capsys):
    helps = []
    for command in ("inspect", "doctor", "fetch", "convert", "record", "replay", "video", "plot"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        helps.append(capsys.readouterr().out)
    ours = PAGE.read_text().partition("## The whole way")[0]  # there other commands join in
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ours)) - {"--help"}
    assert named <= set(re.findall(r"--[a-z][a-z-]+", "\n".join(helps)))
