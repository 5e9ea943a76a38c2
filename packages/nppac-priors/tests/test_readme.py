"""The README, from top to bottom: its Python runs, and its `nppac-prior` commands succeed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from nppac_priors.cli import main

pytestmark = pytest.mark.medium

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_the_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```(python|bash)\n(.*?)```", README.read_text(), re.DOTALL)
    assert sum(language == "python" for language, _ in blocks) >= 9
    namespace: dict[str, object] = {"__name__": "readme"}
    commands = 0
    for language, block in blocks:
        if language == "python":
            exec(compile(block, str(README), "exec"), namespace)
            continue
        for line in block.replace("\\\n", "").splitlines():
            if line.startswith("nppac-prior "):
                commands += 1
                assert main(shlex.split(line)[1:]) == 0, line
    assert commands == 3
    assert (tmp_path / "prior.safetensors").is_file()
    for folder in ("report", "comparison"):
        assert (tmp_path / folder / "health.html").is_file()
    assert "healthy" in capsys.readouterr().out
