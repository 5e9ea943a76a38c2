"""A phase of learning that ends once its error falls no further."""

import pytest
from nppac_agents import parts
from nppac_agents.agent import Agent
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running import training as training_module
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.flattening import flattened


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([], False),
        ([0.5] * 4, False),
        ([0.5] * 5, True),
        ([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], False),
        ([1.0, 0.5, 0.6, 0.7, 0.495, 0.8], True),
        ([1.0, 0.5, 0.6, 0.7, 0.48, 0.8], False),
        ([0.0] * 5, True),
    ],
)
def test_nothing_of_the_latest_four_is_clearly_below_what_came_before(errors, expected):
    assert flattened(errors) is expected


def warmed_up(point_experiment, most, **options):
    method = point_experiment.agent
    options |= {"rollout_steps": 60, "critic_warmup_updates": most}
    return point_experiment.model_copy(update={"agent": method.model_copy(update=options)})


def warm_up(run):
    return [e for e in read_metrics(run.metrics) if e.get("phase") == "warm-up"]


@pytest.mark.medium
def test_a_warm_up_ends_when_the_held_out_error_falls_no_further(
    point_experiment, run_point, monkeypatch
):
    monkeypatch.setattr(training_module, "UPDATES_PER_ERROR", 20)
    falling = iter([1.0, 0.8, 0.5, 0.5, 0.5, 0.5, 0.5])
    monkeypatch.setattr(parts, "unexplained", lambda *_: next(falling))
    _, run = run_point(warmed_up(point_experiment, 1_000))
    events = warm_up(run)
    assert [e["updates"] for e in events] == list(range(10, 141, 10))
    assert events[-1]["held_out_error"] == 0.5
    online = [e for e in read_metrics(run.metrics) if e.get("phase") == "online"]
    assert online, "the next phase has a beginning of its own"
    assert not any("held_out_error" in e for e in online)


@pytest.mark.medium
def test_a_run_killed_in_its_warm_up_ends_as_one_that_was_not(
    point_experiment, run_point, monkeypatch
):
    monkeypatch.setattr(training_module, "UPDATES_PER_ERROR", 20)
    config = warmed_up(point_experiment, 2_000, critic_learning_rate=0.01)
    _, whole = run_point(config, "whole")
    assert warm_up(whole)[-1]["updates"] < 2_000, "or nothing ended early"
    learn, left = Agent.learn, [warm_up(whole)[-1]["updates"] - 5]

    def killed(self, *given):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return learn(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Agent, "learn", killed)
        with pytest.raises(KeyboardInterrupt):
            run_point(config, "killed")
    _, resumed = run_point(config, "killed", resume=True)
    assert len(warm_up(resumed)) == len(warm_up(whole))
    ends = [Checkpoint.load(checkpoints(r.checkpoints)[-1]).tensors for r in (whole, resumed)]
    for owner, tensors in ends[0].items():
        assert all(tensor.equal(ends[1][owner][name]) for name, tensor in tensors.items()), owner
