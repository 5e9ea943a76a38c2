"""Somebody's own environment and log become a trained policy, as the documentation tells it."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nppac_agents.cli
import nppac_envs.cli
import nppac_priors.cli
import numpy as np
import pytest
from nppac_agents.running import training as training_module
from nppac_envs import NpzConfig

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[1] / "docs" / "bring-your-own-demonstrations.md"
PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "nppac-demos": nppac_envs.cli.main,
    "nppac-prior": nppac_priors.cli.main,
    "nppac-run": nppac_agents.cli.main,
}
PLAY = """
import importlib.util, json
from my_arm import Arm
from nppac_priors import load_policy

for name in ("nppac_agents", "nppac_envs", "tianshou", "mujoco", "minari"):
    assert importlib.util.find_spec(name) is None, name
policy, arm, solved = load_policy("arm-policy"), Arm(), []
for seed in range(10_000, 10_020):
    state, _ = arm.reset(seed=seed)
    reached = []
    for _ in range(50):
        state, _, _, _, info = arm.step(policy.act(state))
        reached.append(info["is_success"])
    solved.append(any(reached))
print(json.dumps({"success_ever": sum(solved) / len(solved), "trust": policy.trust(state)}))
"""
"""Plays the reporting starts of the story's run with torch, nppac-priors and gymnasium alone."""


def of_the_page() -> str:
    """The section that is executed."""
    return PAGE.read_text(encoding="utf-8").partition("## The whole way")[2]


def settings() -> list[str]:
    """Those that the page names, with which a run of it is short."""
    (block,) = re.findall(r"```text\n(--set .*?)```", of_the_page(), re.DOTALL)
    return block.split()


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The page's commands, in a folder with its files, whose environment can be imported."""
    text = of_the_page()
    environment, log = re.findall(r"```py\n(.*?)```", text, re.DOTALL)
    (tmp_path / "my_arm.py").write_text(environment)
    (tmp_path / "log.py").write_text(log)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    runpy.run_path("log.py")
    commands = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    assert commands.pop(0) == "export PYTHONPATH=$PWD"
    yield [shlex.split(command) for command in commands]
    sys.modules.pop("my_arm", None)


@pytest.fixture
def call(capsys) -> Callable[..., tuple[int, str]]:
    """Runs a command in this process; returns its exit code and all that it printed."""

    def run(program: str, *arguments: str) -> tuple[int, str]:
        small = settings() if arguments[0] == "arm.json" else []
        try:
            code = PROGRAMS[program]([*arguments, *small])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def test_the_story_of_the_page_runs(story, call, monkeypatch, tmp_path: Path):
    said: dict[str, str] = {}
    for command in story:
        interrupted = command == ["nppac-run", "arm.json", "--output-dir", "arm"]
        with monkeypatch.context() as patch:
            if interrupted:
                patch.setattr(training_module.Training, "_interact", _interrupted_at(400))
            code, text = call(*command)
        assert code == (130 if interrupted else 0), f"{command}\n{text}"
        said[" ".join(command)] = text
    assert "started by reset seeds from 0" in said[" ".join(story[2])]
    assert "the same in 12 of 12 episodes" in said[" ".join(story[2])]
    assert "imports my_arm.Arm from" in said["nppac-run arm.json --dry-run"]
    resumed = said["nppac-run arm.json --output-dir arm --resume"]
    assert "its training episodes start anew" in resumed
    saved = json.loads((tmp_path / "arm" / "environment.json").read_text())
    assert saved["env"]["action_bounds"] == [[-4.0, -2.0], [6.0, 1.5]]
    assert (tmp_path / "arm" / "report.html").stat().st_size > 10_000
    _assert_not_lost(tmp_path / "arm")


def test_the_exported_policy_does_as_well_where_there_is_nothing_but_it(story, call, fresh_python):
    """It takes a package index and some minutes."""
    for command in (c for c in story if c[1] in ("convert", "fit", "new")):
        assert call(*command)[0] == 0
    assert call("nppac-run", "arm.json", "--output-dir", "arm")[0] == 0
    code, text = call("nppac-run", "evaluate", "arm", "--episodes", "20", "--json")
    assert code == 0, text
    found, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    assert call("nppac-run", "export", "arm", "arm-policy")[0] == 0
    played = json.loads(fresh_python(["nppac-priors", "gymnasium"], "-c", PLAY))
    assert played["success_ever"] == found["measures"]["success_ever"]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_other_seeds_keep_it_too(story, call, seed, tmp_path: Path):
    for command in (c for c in story if c[1] in ("convert", "fit", "new")):
        assert call(*command)[0] == 0
    code, text = call("nppac-run", "arm.json", "--seed", seed, "--output-dir", "arm")
    assert code == 0, text
    _assert_not_lost(tmp_path / "arm")


def test_the_log_is_in_torques_and_the_set_in_the_policys_units(story, call):
    assert call(*story[1])[0] == 0
    set_ = NpzConfig(path=Path("arm.npz")).load()
    log = np.genfromtxt("log.csv", delimiter=",", skip_header=1)
    kept = np.concatenate([np.flatnonzero(log[:, 0] == run)[:-1] for run in range(12)])
    low, high = np.array([-4.0, -2.0]), np.array([6.0, 1.5])
    np.testing.assert_allclose(
        low + (set_.actions + 1) / 2 * (high - low), log[kept, 7:9], rtol=1e-5, atol=1e-6
    )


def _interrupted_at(step: int) -> Any:
    interact = training_module.Training._interact

    def interrupted(self: Any, phase: Any) -> None:
        if self.recorder.env_steps == step:
            os.kill(os.getpid(), signal.SIGTERM)
        interact(self, phase)

    return interrupted


def _assert_not_lost(run: Path) -> None:
    """What is learned is no worse than the prior."""
    summary = json.loads((run / "summary.json").read_text())
    before, after = (summary[when]["success_ever"] for when in ("before", "after"))
    assert before > 0.5
    assert after >= before
