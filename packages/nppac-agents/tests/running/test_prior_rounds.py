"""A run whose prior is fitted anew: its phases, a kill, and its policies read back."""

import numpy as np
import pytest
from equal_runs import assert_equal_checkpoints, last_checkpoint
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running.run_policy import load_agent

pytestmark = pytest.mark.medium


@pytest.fixture
def experiment(point_experiment):
    """Two rounds of two episodes of each of three environments, then 30 steps of learning."""
    rounds = {"prior_rounds": 2, "rollout_steps": 120, "staggered_resets": False}
    agent = point_experiment.agent.model_copy(update=rounds)
    training = point_experiment.training.model_copy(update={"env_steps": 270})
    return point_experiment.model_copy(update={"agent": agent, "training": training})


def test_each_round_is_evaluated_and_told(experiment, run_point):
    summary, run = run_point(experiment, report=True)
    events = read_metrics(run.metrics)
    assert summary["env_steps"] == 270
    judged = [e["env_steps"] for e in events if e["event"] == "evaluation"]
    assert judged[:3] == [0, 120, 240]
    told = [e["best_episodes"] for e in events if e.get("phase") == "refit"]
    assert told == [4, 6], "0.4 of 6 and of 12 own episodes, and of 5 demonstrations"
    online = [e for e in events if e.get("phase") == "online"]
    assert online[-1]["updates"] - online[0]["updates"] == 20, "30 steps earned as many updates"


def test_a_run_killed_after_a_round_resumes_as_if_nothing_had_happened(
    experiment, run_point, killed_and_resumed
):
    _, whole = run_point(experiment, "whole")
    resumed = killed_and_resumed(experiment, lambda phases: phases[-2:] == ["refit"] * 2)
    assert any(name.startswith("prior.") for name in last_checkpoint(whole.path).tensors["agent"])
    assert_equal_checkpoints(whole.path, resumed.path)


def test_a_policy_of_the_run_acts_from_the_prior_that_it_learned_with(
    experiment, run_point, monkeypatch
):
    _, run = run_point(experiment)
    monkeypatch.setattr(type(run), "config", lambda self: experiment)
    agent, other = load_agent(run, "last"), load_agent(run, "last")
    assert agent.prior is not agent.given
    other.replace_prior(other.given)
    states = np.zeros((2, 4), dtype=np.float32)
    assert not np.array_equal(*(a.act(states, deterministic=True) for a in (agent, other)))
