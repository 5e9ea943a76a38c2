import io
import json

import pytest
from equal_runs import TIMES, assert_equal_checkpoints, timeless_events, timeless_summary
from nppac_agents.cli import main
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


DOOR = {
    "env": {"kind": "door", "reward": "dense", "horizon": 50},
    "demonstrations": {"source": "shipped", "name": "door", "n_episodes": 3},
    "prior": {"kind": "exact-gp", "steps": 3, "subset_size": 100},
    "agent": {
        "kind": "nppac",
        "policy_hidden": [16],
        "critic_hidden": [16],
        "batch_size": 32,
        "alpha": 0.001,
        "kl_budget": 1e-6,
        "policy_learning_rate": 0.01,
        "rollout_steps": 200,
        "prior_rounds": 1,
        "best_share": 0.6,
        "critic_warmup_updates": 20,
    },
    "training": {"n_envs": 2, "start_steps": 220, "updates_per_step": 0.5, "replay_capacity": 320},
    "evaluation": {"every": 100, "episodes": 2, "reporting_episodes": 2},
    "logging": {"every": 25, "frames": 0, "checkpoint_every": 100},
    "device": "cpu",
}
"""All that a run of the recommended agent consists of, small: an exact process that is fitted anew,
a warm-up, a temperature that its budget moves, a replay that overwrites itself, TensorBoard."""


@pytest.mark.slow
def test_a_run_of_the_recommended_agent_is_extended_bit_for_bit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "door.json").write_text(json.dumps(DOOR))
    train = ["train", "door.json", "--quiet", "--set"]
    for folder, steps in (("whole", 600), ("extended", 300)):
        assert main([*train, f"training.env_steps={steps}", "--output-dir", folder]) == 0
    assert main(["extend", "extended", "--env-steps", "600", "--quiet"]) == 0
    whole, extended = tmp_path / "whole", tmp_path / "extended"
    assert_equal_checkpoints(whole, extended)
    assert (whole / "prior.safetensors").read_bytes() == (
        extended / "prior.safetensors"
    ).read_bytes()
    events = timeless_events(whole)
    last = [event for event in events if event["event"] == "train"][-1]
    assert last["alpha"] > 0.0011
    assert any(event.get("best_episodes") for event in events)
    assert events == [e for e in timeless_events(extended) if e["event"] != "changes"]
    assert timeless_summary(whole) == timeless_summary(extended)
    assert len(curves(whole)) > 20
    assert curves(whole) == curves(extended)


def curves(run):
    """What TensorBoard shows of learning, by name: steps and values, but no times.

    It keeps what was reported at the end of the shorter run.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(run / "tensorboard")).Reload()
    timeless = [name for name in shown.Tags()["scalars"] if not name.endswith(TIMES)]
    names = [name for name in timeless if not name.startswith("reporting/")]
    return {name: [(s.step, s.value) for s in shown.Scalars(name)] for name in names}


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
