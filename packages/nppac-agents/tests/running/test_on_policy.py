"""An agent that learns from what its current policy has just done, under the same loop."""

from __future__ import annotations

import pytest
from equal_runs import assert_equal_checkpoints
from nppac_agents.experiment.config import TrainingConfig
from nppac_agents.methods.dapg import DAPG
from nppac_agents.metrics_file import read_metrics
from nppac_agents.running import training as training_module
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.medium


@pytest.fixture
def on_policy(point_experiment):
    """The point experiment with DAPG: three environments, an update after each three episodes."""
    agent = DAPG(policy_hidden=(8,), critic_hidden=(8,), steps_per_update=60)
    training = TrainingConfig(env_steps=300, n_envs=3, replay_capacity=60)
    return point_experiment.model_copy(update={"agent": agent, "prior": None, "training": training})


def test_an_update_for_every_so_many_fresh_steps(on_policy, run_point):
    summary, run = run_point(on_policy, report=True)
    cloning = 5 * 4
    assert (summary["env_steps"], summary["updates"]) == (300, cloning + 5)
    events = read_metrics(run.metrics)
    lines = [e for e in events if e["event"] == "train" and e["phase"] == "online"]
    assert [line["env_steps"] for line in lines] == [60, 120, 180, 240, 300]
    logged = {"actor_loss", "actor_grad_norm", "actor_std", "step_kl", "critic_loss",
              "critic_grad_norm", "critic_value", "target_value", "rollout_return"}  # fmt: skip
    assert all(logged <= line.keys() for line in lines)
    weights = [line["demonstration_weight"] for line in lines]
    assert weights == pytest.approx([0.01 * 0.95**k for k in range(5)])
    assert run.report.stat().st_size > 0


def test_a_run_killed_between_updates_resumes_as_if_nothing_had_happened(
    on_policy, run_point, monkeypatch
):
    _, whole = run_point(on_policy, "whole")
    interact = training_module.Training._interact

    def killed(self, phase):
        if self.recorder.env_steps >= 150:
            raise KeyboardInterrupt
        interact(self, phase)

    monkeypatch.setattr(training_module.Training, "_interact", killed)
    with pytest.raises(KeyboardInterrupt):
        run_point(on_policy, "killed")
    monkeypatch.undo()
    _, resumed = run_point(on_policy, "killed", resume=True)
    assert_equal_checkpoints(whole.path, resumed.path)


def test_a_dry_run_makes_its_update_on_one_step_of_each_environment(on_policy, run_point):
    assert run_point(on_policy, dry_run=True)[0] == {}


def test_a_replay_without_room_for_an_update_is_refused(on_policy, run_point):
    small = on_policy.training.model_copy(update={"replay_capacity": 30})
    with pytest.raises(ConfigError, match="replay_capacity 30 is below the 60 steps"):
        run_point(on_policy.model_copy(update={"training": small}))
