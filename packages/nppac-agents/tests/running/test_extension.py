import io

import pytest
from equal_runs import assert_equal_checkpoints, timeless_events, timeless_summary
from nppac_agents.methods.bc import BC
from nppac_agents.running.checkpoint import checkpoints
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run import run_experiment
from nppac_agents.running.run_directory import RunDirectory
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium


def lasting(experiment, env_steps, **evaluation):
    """The experiment with so many steps, an agent of few updates."""
    training = experiment.training.model_copy(
        update={"env_steps": env_steps, "updates_per_step": 0.5}
    )
    judged = experiment.evaluation.model_copy(update={"every": 60, **evaluation})
    return experiment.model_copy(update={"training": training, "evaluation": judged})


@pytest.fixture
def extend(monkeypatch):
    """Goes on with a run; the test's own environment is in no config file that could be read."""

    def go_on(run, before, after):
        run.config_file.write_text("{}")
        monkeypatch.setattr(RunDirectory, "config", lambda self: before)
        console = io.StringIO()
        monkeypatch.setattr("nppac_agents.running.run.write_report", lambda folder: folder)
        resumed = RunDirectory.resume(run.path, after)
        run_experiment(after, run_dir=resumed, console=PlainConsole(console), resume=True)
        return console.getvalue()

    return go_on


def test_a_run_extended_from_n_to_2n_equals_one_of_2n_bit_for_bit(
    point_experiment, run_point, extend
):
    short, long = (lasting(point_experiment, steps) for steps in (120, 240))
    _, whole = run_point(long, "whole")
    _, extended = run_point(short, "extended")
    assert "is one more" not in extend(extended, short, long)
    assert_equal_checkpoints(whole.path, extended.path)
    events = timeless_events(extended.path)
    changes = next(event for event in events if event["event"] == "changes")
    assert changes["changes"] == {"training.env_steps": [120, 240]}
    assert changes["env_steps"] == 120
    assert timeless_events(whole.path) == [event for event in events if event != changes]
    kept = [checkpoints(run.checkpoints / "best")[-1].name for run in (whole, extended)]
    assert kept[0] == kept[1]
    assert timeless_summary(whole.path) == timeless_summary(extended.path)


def test_evaluation_may_change_and_one_evaluation_more_is_named(
    point_experiment, run_point, extend
):
    short = lasting(point_experiment, 90)
    long = lasting(point_experiment, 120, episodes=2, reporting_episodes=3)
    _, run = run_point(short)
    assert "the evaluation at 90 steps, where the run ended before, is one more" in extend(
        run, short, long
    )
    played = [
        (e["env_steps"], e["episodes"])
        for e in timeless_events(run.path)
        if e["event"] == "evaluation"
    ]
    assert played == [(0, 4), (60, 4), (90, 4), (120, 2)]
    assert [e["episodes"] for e in timeless_events(run.path) if e["event"] == "reporting"][-1] == 3


def test_fewer_steps_than_made_and_an_agent_without_interaction_are_refused(
    point_experiment, run_point, extend
):
    made = lasting(point_experiment, 90)
    _, run = run_point(made)
    before = run.metrics.read_bytes()
    with pytest.raises(ConfigError, match=r"training.env_steps: 60 is below the 90 that"):
        extend(run, made, lasting(point_experiment, 60))
    agent = {"agent": BC(updates=3, policy_hidden=(8,)), "prior": None}
    cloning = lasting(point_experiment, 90).model_copy(update=agent)
    _, cloned = run_point(cloning, "cloned")
    more = lasting(point_experiment, 120).model_copy(update=agent)
    with pytest.raises(ConfigError, match="agent 'bc' ends without interaction"):
        extend(cloned, cloning, more)
    assert run.metrics.read_bytes() == before
