"""Environments that cannot be saved train; a resume starts their episodes anew and says so."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from gymnasium.wrappers import TimeLimit
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running import training as training_module
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run import run_experiment
from nppac_agents.running.run_directory import RunDirectory

pytestmark = pytest.mark.medium


class Stopped(BaseException):
    pass


@pytest.fixture
def plain_experiment(point_experiment, point_config):
    """The experiment on the point, whose state nobody can get or set."""
    point = type(point_config.make().unwrapped)

    def hidden(self: Any) -> None:
        raise AttributeError("get_state")

    plain = type("Plain", (point,), {"get_state": property(hidden)})

    class PlainConfig(type(point_config)):
        def make(self, *, render_mode=None):
            return TimeLimit(plain(), self.horizon)

    return point_experiment.model_copy(update={"env": PlainConfig()})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs an experiment in a named folder, stopped after some steps if told to; what it said."""
    monkeypatch.setattr("nppac_agents.running.run.write_report", lambda folder: folder)

    def start(config: Any, name: str, *, stop: int | None = None, resume: bool = False):
        run_dir = RunDirectory(tmp_path / name)
        run_dir.checkpoints.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        interact = training_module.Training._interact

        def stopped(self: Any, phase: Any) -> None:
            if self.recorder.env_steps == stop:
                raise Stopped
            interact(self, phase)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training_module.Training, "_interact", stopped)
            try:
                run_experiment(config, run_dir=run_dir, console=PlainConsole(text), resume=resume)
            except Stopped:
                assert stop is not None
        return run_dir, text.getvalue()

    return start


def test_a_run_trains_and_its_resume_says_once_that_episodes_start_anew(plain_experiment, run):
    _, said = run(plain_experiment, "stopped", stop=75)
    assert "get_state" not in said
    resumed, said = run(plain_experiment, "stopped", resume=True)
    assert said.count("set_state (of a dict of arrays): its training episodes start anew") == 1
    assert resumed.summary()["env_steps"] == 150
    evaluated = [
        e["env_steps"] for e in read_metrics(resumed.metrics) if e["event"] == "evaluation"
    ]
    assert evaluated == [0, 51, 102, 150]


def test_a_checkpoint_holds_everything_but_the_environments(plain_experiment, run, point_run):
    plain, saved = (
        Checkpoint.load(checkpoints(directory.checkpoints)[-1]).tensors
        for directory in (run(plain_experiment, "plain")[0], point_run[1])
    )
    for owner, tensors in saved.items():
        names = {n for n in tensors if owner != "rollouts" or not n[0].isdigit()}
        assert plain[owner].keys() == names
        for name in names:
            assert torch.equal(tensors[name], plain[owner][name]), f"{owner}/{name}"


@pytest.mark.slow
def test_two_resumes_of_one_checkpoint_go_on_alike(plain_experiment, run):
    ends = []
    for name in ("one", "two"):
        run(plain_experiment, name, stop=75)
        resumed, _ = run(plain_experiment, name, resume=True)
        ends.append(Checkpoint.load(checkpoints(resumed.checkpoints)[-1]).tensors["agent"])
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name


def test_a_restart_begins_other_episodes_and_cuts_those_that_ran(plain_experiment, prior, spaces):
    def rollouts(seed: int) -> Rollouts:
        generator = torch.Generator().manual_seed(0)
        alone = {
            "standardise_states": False, "trust_region": None, "staggered_resets": False
        }  # fmt: skip
        method = plain_experiment.agent.model_copy(update=alone)
        agent = method.build(spaces, prior, None, generator=generator)
        replay = agent.make_replay(300, 3, generator)
        return Rollouts(plain_experiment.env, 3, agent, replay, seed=seed)

    first, again = rollouts(0), rollouts(0)
    fresh = again.states.copy()
    for _ in range(7):
        first.step()
    again.replay.load_state(first.replay.state())
    again.load_state(first.state())
    assert (again.states != first.states).any(1).all()
    assert (again.states != fresh).any(1).all(), "the run's first episodes are not played twice"
    ended = [again.step() for _ in range(20)]
    assert [len(episodes) for episodes in ended] == [0] * 19 + [3]
    assert {episode.length for episode in ended[-1]} == {20}
    ring = again.replay.transitions(torch.arange(27))
    assert ring.truncated.nonzero().squeeze(1).tolist() == [6, 26]
