"""Whole runs that are signalled, killed and resumed, each in its own directory."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running import assembly
from nppac_agents.running import run as run_module
from nppac_agents.running import training as training_module
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.interruption import Interrupted, interruptible
from nppac_agents.running.ownership import own_run_directory
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run_directory import RunDirectory

pytestmark = pytest.mark.medium

KILLED = '''
import os, signal, sys
operations, folder, *arguments = sys.argv[1:]
left = int(operations)

def hook(event, values):
    """Kills this process before a file operation in the run directory."""
    global left
    changes = event.startswith(("os.", "fcntl.")) or event == "open"
    if changes and (event == "fcntl.flock" or folder in str(values[0])):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

from nppac_agents.cli import main
sys.addaudithook(hook)
sys.exit(main(arguments))
'''


@pytest.fixture
def owned_run(point_experiment, monkeypatch):
    """Runs the point task as the command does; returns the directory and what was printed."""
    monkeypatch.setattr(RunDirectory, "config", lambda self: stored_config(self, point_experiment))

    def run(config=point_experiment, *, resume=False) -> tuple[RunDirectory, str]:
        stream = io.StringIO()
        with interruptible(), own_run_directory(config, resume=resume, take_over=False) as run:
            options = {"run_dir": run, "console": PlainConsole(stream), "resume": resume}
            run_module.run_experiment(config, **options)
        return run, stream.getvalue()

    return run


def stored_config(run: RunDirectory, experiment):
    """`config.json` read back; the point task is no registered kind."""
    logging = json.loads(run.config_file.read_text())["logging"]
    changed = experiment.logging.model_copy(update={"every": logging["every"]})
    return experiment.model_copy(update={"logging": changed})


def signal_once(monkeypatch, owner, name, *, after: bool = False) -> None:
    """Makes a function send its process SIGTERM, and wait, in place of or after its work."""
    function = getattr(owner, name)

    def signalled(*arguments, **options):
        monkeypatch.setattr(owner, name, function)
        result = function(*arguments, **options) if after else None
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        return result

    monkeypatch.setattr(owner, name, signalled)


STAGES = {
    "fit": (assembly, "fit_prior", "before there was anything to keep; nothing is left"),
    "pretraining": (training_module.Training, "_prepare", "goes on from the fitted prior"),
    "first evaluation": (training_module.Training, "evaluate", "goes on from the fitted prior"),
    "learning": (training_module.Training, "_interact", "after a checkpoint; --resume continues"),
    "report": (run_module, "_write_report", "--resume continues from the last checkpoint"),
}


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_signal_at_any_stage_ends_with_a_word_and_a_resume_goes_on(
    point_experiment, owned_run, monkeypatch, stage
):
    agent = point_experiment.agent.model_copy(
        update={"start": "distilled", "pretraining_epochs": 2}
    )
    training = point_experiment.training.model_copy(update={"env_steps": 120})
    config = point_experiment.model_copy(update={"agent": agent, "training": training})
    monkeypatch.setattr(RunDirectory, "config", lambda self: config)
    owner, name, message = STAGES[stage]
    signal_once(monkeypatch, owner, name, after=stage == "learning")
    with pytest.raises(Interrupted, match=message):
        owned_run(config)
    path = Path(config.output_dir)
    assert path.exists() == (stage != "fit")
    assert not (path / "run.lock").exists()
    run, _ = owned_run(config, resume=True)
    assert run.summary()["status"] == "done"
    assert [e["env_steps"] for e in read_metrics(run.metrics) if e["event"] == "evaluation"] == [
        0, 51, 102, 120,
    ]  # fmt: skip


@pytest.mark.slow
def test_a_signal_while_the_last_checkpoint_is_written_loses_nothing(
    point_experiment, owned_run, monkeypatch
):
    wait = training_module.Training._wait

    def signalled(self):
        if self.phase == len(self.phases):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
        wait(self)

    monkeypatch.setattr(training_module.Training, "_wait", signalled)
    with pytest.raises(Interrupted, match="--resume continues from the last checkpoint"):
        owned_run()
    monkeypatch.setattr(training_module.Training, "_wait", wait)
    run, _ = owned_run(resume=True)
    assert run.summary()["env_steps"] == point_experiment.training.env_steps


@pytest.mark.slow
def test_what_a_resume_changes_is_in_the_metrics_and_then_in_the_config(
    point_experiment, owned_run, monkeypatch
):
    step = training_module.Training._interact

    def interrupted_step(self, phase):
        if self.recorder.env_steps == 120:
            os.kill(os.getpid(), signal.SIGTERM)
        step(self, phase)

    monkeypatch.setattr(training_module.Training, "_interact", interrupted_step)
    with pytest.raises(Interrupted):
        owned_run()
    monkeypatch.setattr(training_module.Training, "_interact", step)
    logging = point_experiment.logging.model_copy(update={"every": 30})
    changed = point_experiment.model_copy(update={"logging": logging})
    run, printed = owned_run(changed, resume=True)
    assert "logging.every was 10 and is 30 from here on" in printed
    assert json.loads(run.config_file.read_text())["logging"]["every"] == 30
    events = read_metrics(run.metrics)
    (change,) = [e for e in events if e["event"] == "changes"]
    assert change["changes"] == {"logging.every": [10, 30]}
    assert change["env_steps"] == 123
    logged = [e["updates"] for e in events if e["event"] == "train"]
    assert logged == [*range(10, 91, 10), 120]
    owned_run(changed, resume=True)
    assert sum(e["event"] == "changes" for e in read_metrics(run.metrics)) == 1


@pytest.mark.slow
def test_a_resume_that_never_goes_on_changes_nothing(point_experiment, owned_run, monkeypatch):
    run, _ = owned_run()
    before = run.config_file.read_text(), run.metrics.read_text()
    logging = point_experiment.logging.model_copy(update={"every": 30})
    monkeypatch.setattr(assembly, "make_checked", lambda config: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        owned_run(point_experiment.model_copy(update={"logging": logging}), resume=True)
    assert (run.config_file.read_text(), run.metrics.read_text()) == before


@pytest.fixture
def door(tmp_path) -> Path:
    """A whole experiment, as small as one can be that fits a prior and learns."""
    path = tmp_path / "door.json"
    data = {
        "env": {"kind": "door"},
        "demonstrations": {"source": "shipped", "name": "door", "n_episodes": 3},
        "prior": {"kind": "exact-gp", "steps": 2, "subset_size": 50},
        "agent": {
            "kind": "nppac",
            "policy_hidden": [8],
            "critic_hidden": [8],
            "batch_size": 16,
            "rollout_steps": 0,
            "critic_warmup_updates": 0,
        },
        "training": {"env_steps": 60, "n_envs": 2, "start_steps": 20},
        "evaluation": {"every": 30, "episodes": 1, "reporting_episodes": 1},
        "logging": {"tensorboard": False, "frames": 0, "checkpoint_every": 10, "every": 5},
        "device": "cpu",
    }
    path.write_text(json.dumps(data))
    return path


def command(door: Path, name: str, *, kill_at: int, resume: bool = False) -> int:
    """The exit code of `nppac-run` in a process of its own, killed before a file operation."""
    folder = door.parent / name
    options = ["--output-dir", str(folder), "--quiet", *(["--resume"] if resume else [])]
    words = [sys.executable, "-c", KILLED, str(kill_at), str(folder), str(door), *options]
    return subprocess.run(words, capture_output=True, text=True, cwd=door.parent).returncode


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_one_that_was_not(door):
    assert command(door, "whole", kill_at=10**6) == 0
    chance = random.Random(0)
    killed, resume = 0, False
    for _ in range(4):
        killed += command(door, "killed", kill_at=chance.randrange(150), resume=resume) == -9
        resume = (door.parent / "killed" / "config.json").exists()
    assert killed >= 2
    assert command(door, "killed", kill_at=10**6, resume=resume) == 0
    one, other = (RunDirectory(door.parent / name) for name in ("whole", "killed"))
    assert_same(one, other)
    assert {p.name for p in one.path.rglob("*")} == {p.name for p in other.path.rglob("*")}


def assert_same(one: RunDirectory, other: RunDirectory) -> None:
    ends = [Checkpoint.load(checkpoints(run.checkpoints)[-1]).tensors for run in (one, other)]
    for owner, tensors in ends[0].items():
        for name, tensor in tensors.items():
            assert tensor.equal(ends[1][owner][name]), f"{owner}/{name}"
    events = [read_metrics(run.metrics) for run in (one, other)]
    for left, right in zip(*events, strict=True):
        assert left["event"] == right["event"]
        assert left.get("per_episode") == right.get("per_episode")
