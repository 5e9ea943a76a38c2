"""Runs whose numbers go wrong: they fail, say where it began, and keep what was good."""

from __future__ import annotations

import io
import math
import re

import pytest
import torch
from gymnasium import RewardWrapper
from nppac_agents.cli.exit_code import exit_code_of
from nppac_agents.methods.bc import BC
from nppac_agents.methods.sac import SAC
from nppac_agents.methods.sacfd import SACfD
from nppac_agents.running.best import BEST
from nppac_agents.running.checkpoint import Checkpoint, CheckpointError, checkpoints
from nppac_agents.running.divergence import DivergedError, require_finite
from nppac_agents.running.metrics_log import Recorder
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run import run_experiment
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.training import Training
from nppac_priors import ConstantVarianceConfig
from nppac_priors.errors import NumericalError

pytestmark = pytest.mark.medium

NEVER = 1_000_000
NETWORKS = "part."


@pytest.fixture
def rarely_logged(point_experiment):
    """No training line ever, two checkpoints a run at most in the middle of it."""
    logging = point_experiment.logging.model_copy(update={"every": NEVER})
    return point_experiment.model_copy(update={"logging": logging})


@pytest.fixture
def failing(tmp_path):
    """Runs an experiment that fails; returns the error's line and the kept checkpoints."""

    def run(config):
        directory = RunDirectory(tmp_path / "run")
        directory.checkpoints.mkdir(parents=True)
        with pytest.raises(NumericalError) as error:
            run_experiment(config, run_dir=directory, console=PlainConsole(io.StringIO()))
        assert exit_code_of(error.value) == 1
        assert directory.summary() is None
        kept = [Checkpoint.load(path) for path in checkpoints(directory.checkpoints)]
        for checkpoint in kept:
            for owner, tensors in checkpoint.tensors.items():
                require_finite(tensors, owner)
        return str(error.value), kept

    return run


def with_agent(config, agent):
    return config.model_copy(update={"agent": agent, "prior": None})


def sac(**options):
    return SAC(policy_hidden=(16,), critic_hidden=(16,), batch_size=32, **options)


@pytest.fixture
def spoil_after(monkeypatch):
    """Lets an update leave one number that is not finite in a state, without it in any loss."""

    def set_up(updates, start, value=math.nan):
        trainings = []
        init, add = Training.__init__, Recorder.add

        def remembering(self, *args):
            init(self, *args)
            trainings.append(self)

        def spoiling(self, losses):
            add(self, losses)
            if self.updates == updates:
                state = trainings[0].agent.state()
                name = next(k for k, v in state.items() if k.startswith(start) and v.ndim > 0)
                state[name].view(-1)[0] = value

        monkeypatch.setattr(Training, "__init__", remembering)
        monkeypatch.setattr(Recorder, "add", spoiling)

    return set_up


@pytest.mark.parametrize("checkpoint_every", [NEVER, 3])
def test_a_prior_too_sharp_for_float32_is_named(
    rarely_logged, prior_config, failing, checkpoint_every
):
    """The run of 140 updates that ended as done with what was not finite in both checkpoints."""
    training = rarely_logged.training.model_copy(update={"env_steps": 200})
    logging = rarely_logged.logging.model_copy(update={"checkpoint_every": checkpoint_every})
    prior = ConstantVarianceConfig(prior=prior_config, std=1e-12)
    unbounded = {"kl_budget": None, "trust_region": None, "kl_estimator": "sampled"}
    agent = rarely_logged.agent.model_copy(update=unbounded)
    changes = {"training": training, "logging": logging, "prior": prior, "agent": agent}
    line, kept = failing(rarely_logged.model_copy(update=changes))
    assert "it began in prior 'constant-variance', whose standard deviation goes down to" in line
    assert re.search(r" is inf by update [1-3] \(", line)
    assert "learning rates" not in line
    assert line.endswith("; the last checkpoint is kept")
    assert kept


class Spoiled(RewardWrapper):
    """Gives a strange reward in one step of every episode."""

    def __init__(self, env, value):
        super().__init__(env)
        self.value = value

    def reward(self, reward):
        steps = self.env.get_wrapper_attr("_elapsed_steps")
        return self.value if steps == 12 else reward


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_a_reward_that_no_learner_can_digest_is_the_environments(
    rarely_logged, point_config, failing, value, monkeypatch
):
    make = type(point_config).make
    monkeypatch.setattr(
        type(point_config), "make", lambda self, **options: Spoiled(make(self, **options), value)
    )
    monkeypatch.setattr(  # steps are checked on the way in; here one comes through
        "nppac_agents.data.rollouts.make_checked", lambda config, **options: config.make(**options)
    )
    monkeypatch.setattr(
        "nppac_agents.running.evaluation.make_checked", lambda config: config.make()
    )
    line, _ = failing(with_agent(rarely_logged, sac()))
    assert "it began in environment 'point', which gave a reward of" in line
    assert "learning rates" not in line


def test_learning_rates_are_blamed_for_what_they_do(rarely_logged, failing):
    agent = sac().model_copy(update={"critic_learning_rate": 1e30})
    line, kept = failing(with_agent(rarely_logged, agent))
    assert "the learning diverged; lower the learning rates" in line
    assert kept


def test_a_full_disk_does_not_hide_it(rarely_logged, failing, monkeypatch):
    save = Checkpoint.save

    def full(self, folder, **options):
        if folder.name != BEST:
            raise CheckpointError("cannot be written: no space left")
        return save(self, folder, **options)

    monkeypatch.setattr(Checkpoint, "save", full)
    agent = sac().model_copy(update={"critic_learning_rate": 1e30})
    line, kept = failing(with_agent(rarely_logged, agent))
    assert "the learning diverged; lower the learning rates" in line
    assert not kept


def test_nan_in_the_last_window_of_an_online_run_fails_it(rarely_logged, failing, spoil_after):
    spoil_after(60, NETWORKS)
    line, kept = failing(with_agent(of_120_steps(rarely_logged), sac()))
    assert "agent part" in line
    assert "is not finite by update 60 (120 environment steps)" in line
    assert kept[-1].position["env_steps"] == 90


def of_120_steps(config):
    training = config.training.model_copy(update={"env_steps": 120, "start_steps": 60})
    return config.model_copy(update={"training": training})


def test_nan_in_the_last_window_of_an_offline_run_fails_it(rarely_logged, failing, spoil_after):
    logging = rarely_logged.logging.model_copy(update={"checkpoint_every": 25})
    config = rarely_logged.model_copy(update={"logging": logging})
    spoil_after(60, NETWORKS)
    line, kept = failing(with_agent(config, BC(policy_hidden=(16,), updates=60)))
    assert "is not finite by update 60 (0 environment steps)" in line
    assert [checkpoint.position["updates"] for checkpoint in kept] == [25, 50]


def test_nan_at_the_end_of_pretraining_fails_before_anything_is_judged(
    rarely_logged, failing, spoil_after
):
    agent = SACfD(policy_hidden=(16,), critic_hidden=(16,), batch_size=32, cloning_updates=10)
    spoil_after(10, NETWORKS)
    line, kept = failing(with_agent(rarely_logged, agent))
    assert "is not finite by update 10 (0 environment steps)" in line
    assert kept == []
    assert "checkpoint" not in line


def test_what_an_optimizer_remembers_is_examined_too(rarely_logged, failing, spoil_after):
    spoil_after(60, "optimizer.critic", math.inf)
    line, _ = failing(with_agent(of_120_steps(rarely_logged), sac()))
    assert "agent optimizer.critic" in line
    assert "is not finite by update 60 (120 environment steps)" in line


def test_only_real_numbers_are_examined():
    fine = {
        "integers": torch.tensor([1]),
        "flags": torch.tensor([True]),
        "large": torch.full((4,), 3e38),
        "none": torch.empty(0),
    }
    require_finite(fine, "by update 3")
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(DivergedError, match="weights is not finite by update 3"):
            require_finite({**fine, "weights": torch.tensor([1.0, value])}, "by update 3")
