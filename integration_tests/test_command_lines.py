"""Every command of the three programs tells its version, and its help fits into 80 columns."""

from __future__ import annotations

import re

import nppac_agents.cli
import nppac_envs.cli
import nppac_priors.cli
import pytest

PROGRAMS = {
    "nppac-run": nppac_agents.cli.main,
    "nppac-prior": nppac_priors.cli.main,
    "nppac-demos": nppac_envs.cli.main,
}


@pytest.fixture
def said(capsys):
    """What a command line prints, and its exit code."""

    def run(program, *words):
        with pytest.raises(SystemExit) as stop:
            PROGRAMS[program](words)
        captured = capsys.readouterr()
        return captured.out + captured.err, stop.value.code

    return run


def commands(said, program):
    """All command words, as the complaint about an unknown one lists them."""
    text, code = said(program, "no-such-command")
    assert code == 2
    listed = re.search(r"(?:commands: |choose from |there are )(.*?)(?:\)|;|$)", text, re.M)
    assert listed is not None, text
    return re.findall(r"[a-z-]+", listed[1])


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_is_listed(said, program):
    found = commands(said, program)
    assert len(found) >= 5
    overview, _ = said(program, "--help")
    assert all(re.search(rf"^ +{word}\b", overview, re.M) for word in found)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_tells_its_version(said, program):
    expected = said(program, "--version")
    assert expected[1] == 0
    assert re.match(r"nppac-\w+ \d+\.\d+\.\d+", expected[0])
    for command in commands(said, program):
        assert said(program, command, "--version") == expected


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_fits_into_eighty_columns(said, program, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for command in ([], *([command] for command in commands(said, program))):
        text, code = said(program, *command, "--help")
        assert (code, text.startswith(" ".join(["usage:", program, *command]))) == (0, True)
        assert [line for line in text.splitlines() if len(line) > 80] == [], command
