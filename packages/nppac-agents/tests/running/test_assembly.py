"""Which rewards the demonstrations have for an agent that learns in an environment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nppac_agents.running.assembly import with_task_rewards
from nppac_envs import Demonstrations, DoorConfig, HalfCheetahConfig

FLAGS = np.array([False, True, False, True])


@pytest.fixture
def demonstrations():
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
def test_rewards_that_follow_from_success_are_those_of_the_task(demonstrations, reward, expected):
    rewards = with_task_rewards(demonstrations, DoorConfig(reward=reward)).rewards
    np.testing.assert_array_equal(rewards, expected)


@pytest.mark.parametrize("reward", ["sparse", "dense"])
def test_success_is_no_shaped_reward(demonstrations, reward):
    assert with_task_rewards(demonstrations, DoorConfig(reward=reward)).rewards is None
    shaped = replace(demonstrations, rewards=np.array([0.1, 7.5, -0.3, 12.0], dtype=np.float32))
    kept = with_task_rewards(shaped, DoorConfig(reward=reward)).rewards
    np.testing.assert_array_equal(kept, shaped.rewards)


def test_a_task_with_one_reward_takes_them_as_recorded(demonstrations):
    kept = with_task_rewards(demonstrations, HalfCheetahConfig()).rewards
    np.testing.assert_array_equal(kept, demonstrations.rewards)
