"""The examples of the paper's figures: every file validates, every command can be parsed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from nppac_priors.cli.arguments import parse
from nppac_priors.cli.subjects import read_configs

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "examples" / "figures"
COMMANDS = re.findall(r"`(nppac-prior .*?)`", (FOLDER / "README.md").read_text().replace("\n", " "))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_priors_of_a_figure_validate(path):
    configs = read_configs([str(path)])
    assert {config.kind for config in configs.values()} <= {"exact-gp", "gaussian-mlp", "ensemble"}


def test_every_file_has_a_command_that_exists():
    parsed = [parse(shlex.split(command)[1:]) for command in COMMANDS if "door.npz" in command]
    named = {str(a.prior if hasattr(a, "prior") else a.priors[0]) for a in parsed}
    assert named == {f"examples/figures/figure-{number}.json" for number in (1, 4, 5, 6, 7)}
    used = {word for command in COMMANDS for word in command.split() if word.endswith(".json")}
    assert used == {str(path.relative_to(ROOT)) for path in FOLDER.glob("*.json")}
