"""What a run's parts are given: the rewards of demonstrations, the seed of the prior."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.methods.sacfd import SACfD
from nppac_agents.running.assembly import (
    build_agent,
    fit_prior,
    spaces_and_demonstrations,
    with_task_rewards,
)
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.seeds import Seeds
from nppac_envs import Demonstrations, DoorConfig, HalfCheetahConfig
from nppac_priors import GaussianMLPConfig

FLAGS = np.array([False, True, False, True])


@pytest.fixture
def flagged():
    """Two episodes of two steps, with success flags and the rewards 0 and 1."""
    states = np.zeros((4, 39), dtype=np.float32)
    return Demonstrations(
        states=states,
        actions=np.zeros((4, 28), dtype=np.float32),
        final_states=states[:2],
        episode_lengths=np.array([2, 2]),
        source="test",
        rewards=FLAGS.astype(np.float32),
        successes=FLAGS,
    )


@pytest.mark.parametrize(("reward", "expected"), [("zero-one", FLAGS), ("binary", FLAGS - 1.0)])
def test_rewards_that_follow_from_success_are_those_of_the_task(flagged, reward, expected):
    rewards = with_task_rewards(flagged, DoorConfig(reward=reward)).rewards
    np.testing.assert_array_equal(rewards, expected)


@pytest.mark.parametrize("reward", ["sparse", "dense"])
def test_success_is_no_shaped_reward(flagged, reward):
    assert with_task_rewards(flagged, DoorConfig(reward=reward)).rewards is None
    shaped = replace(flagged, rewards=np.array([0.1, 7.5, -0.3, 12.0], dtype=np.float32))
    kept = with_task_rewards(shaped, DoorConfig(reward=reward)).rewards
    np.testing.assert_array_equal(kept, shaped.rewards)


def test_a_task_with_one_reward_takes_them_as_recorded(flagged):
    kept = with_task_rewards(flagged, HalfCheetahConfig()).rewards
    np.testing.assert_array_equal(kept, flagged.rewards)


def test_an_agent_learns_from_the_tasks_rewards(point_experiment, point_config, spaces):
    class Binary(type(point_config)):
        reward: str = "binary"

    played = Demonstrations(
        states=np.zeros((4, 4)), actions=np.zeros((4, 2)), final_states=np.zeros((2, 4)),
        episode_lengths=np.array([2, 2]), rewards=FLAGS.astype(np.float32), successes=FLAGS,
    )  # fmt: skip
    agent = SACfD(policy_hidden=(4,), critic_hidden=(4,), batch_size=64)
    config = point_experiment.model_copy(update={"env": Binary(), "agent": agent, "prior": None})
    built = build_agent(config, spaces, None, played, Seeds.of(0), torch.device("cpu"))
    replay = built.make_replay(4, 1, torch.Generator().manual_seed(0))
    assert replay.sample_transitions(64).rewards.unique().tolist() == [-1.0, 0.0]


def test_the_prior_follows_the_runs_seed(point_experiment, demonstrations):
    config = point_experiment.model_copy(update={"prior": GaussianMLPConfig(hidden=(4,), steps=3)})

    def fitted(seed):
        console, device = PlainConsole(io.StringIO()), torch.device("cpu")
        prior = fit_prior(config, demonstrations, Seeds.of(seed), device, console)
        return prior.mean(demonstrations.states)

    assert torch.equal(fitted(1), fitted(1))
    assert not torch.allclose(fitted(1), fitted(2))


def test_actions_recorded_with_other_bounds_are_mapped_to_the_environments(tmp_path):
    """Pendulum takes torques of -2 to 2; these were recorded in one of -1 to 1."""
    played = Demonstrations(
        states=np.zeros((2, 3)), actions=np.array([[-1.0], [0.5]]), final_states=np.zeros((1, 3)),
        episode_lengths=[2], action_bounds=np.array([[-1.0], [1.0]]),
    )  # fmt: skip
    played.save_npz(tmp_path / "played.npz")
    config = ExperimentConfig.model_validate(
        {
            "env": {"kind": "gymnasium", "id": "Pendulum-v1"},
            "demonstrations": {"source": "npz", "path": str(tmp_path / "played.npz")},
            "agent": {"kind": "bc"},
        }
    )
    _, mapped = spaces_and_demonstrations(config)
    assert mapped is not None
    assert mapped.actions[:, 0].tolist() == [-0.5, 0.25]
    assert mapped.n_rescaled == 2


def test_a_range_that_is_not_the_environments_is_told_and_the_actions_stay(tmp_path, caplog):
    """Pendulum's torques are of -2 to 2; these were mapped from -90 to 90."""
    played = Demonstrations(
        states=np.zeros((2, 3)), actions=np.array([[-1.0], [0.5]]), final_states=np.zeros((1, 3)),
        episode_lengths=[2], source_range=np.array([[-90.0], [90.0]]),
    )  # fmt: skip
    played.save_npz(tmp_path / "played.npz")
    demonstrations = {"source": "npz", "path": str(tmp_path / "played.npz")}
    env = {"kind": "gymnasium", "id": "Pendulum-v1"}
    config = {"env": env, "demonstrations": demonstrations, "agent": {"kind": "bc"}}
    _, kept = spaces_and_demonstrations(ExperimentConfig.model_validate(config))
    assert kept is not None
    assert kept.actions.tolist() == played.actions.tolist()
    (record,) = caplog.records
    assert "from (-90) and (90), and in 'gymnasium' 'Pendulum-v1' -1 and 1 stand for (-2)" in (
        record.getMessage()
    )
