from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.medium

COMMANDS = ("inspect", "doctor", "convert", "record", "replay", "video", "plot")


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(nppac_demos, argv: list[str]):
    result = nppac_demos(*argv)
    assert result.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(nppac_demos, command: str):
    result = nppac_demos(command, "--help")
    assert result.code == 0
    assert f"usage: nppac-demos {command}" in result.out
    assert result.err == []


def test_an_unknown_command_or_option_is_one_line(nppac_demos):
    for argv in (["inspct", "door"], ["inspect", "door", "--jsn"]):
        result = nppac_demos(*argv)
        assert (result.code, len(result.err)) == (2, 1)


def test_an_unexpected_fault_is_one_line_and_code_1(nppac_demos, monkeypatch):
    def fail(_):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("nppac_envs.cli.inspect.inspect", fail)
    result = nppac_demos("inspect", "door")
    assert result.code == 1
    assert result.err == ["error: RuntimeError: two lines (--debug shows where)"]
    assert "Traceback" in "\n".join(nppac_demos("inspect", "door", "--debug").err)


def test_an_interruption(nppac_demos, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nppac_envs.cli.inspect.inspect", interrupt)
    result = nppac_demos("inspect", "door")
    assert (result.code, result.err) == (130, ["error: interrupted"])


def test_a_closed_pipe_says_nothing():
    command = f"{sys.executable} -m nppac_envs inspect door | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("set ")
    assert done.stderr == ""


def test_help_loads_no_simulator():
    code = (
        "import sys\nfrom nppac_envs.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'mujoco', 'gymnasium_robotics', 'minari', 'h5py', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
