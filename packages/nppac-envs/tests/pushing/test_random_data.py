from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nppac_envs import NpzConfig, PushConfig
from nppac_envs.pushing.random_data import main, random_trajectories


def test_the_same_seed_gives_the_same_trajectories():
    config = PushConfig(horizon=7)
    one, two = (random_trajectories(3, seed=4, config=config) for _ in range(2))
    other = random_trajectories(3, seed=5, config=config)
    assert one.hash == two.hash != other.hash
    assert one.episode_lengths.tolist() == [7, 7, 7]
    goals = one.states[::7, 2:4]
    assert len(np.unique(goals, axis=0)) == 3


def test_recorded_steps_are_the_environments():
    config = PushConfig(horizon=5)
    recorded = random_trajectories(2, seed=0, config=config)
    env = config.make()
    env.reset(seed=0)
    for episode in range(2):
        state, _ = env.reset()
        for step in range(5 * episode, 5 * episode + 5):
            np.testing.assert_array_equal(recorded.states[step], state)
            state, reward, _, _, info = env.step(recorded.actions[step])
            assert recorded.rewards[step] == pytest.approx(reward)
            assert recorded.successes[step] == info["success"]
        np.testing.assert_array_equal(recorded.final_states[episode], state)


def test_the_command_writes_a_file_that_loads(tmp_path: Path):
    path = tmp_path / "push.npz"
    main([str(path), "--episodes", "2", "--seed", "3"])
    loaded = NpzConfig(path=str(path)).load()
    assert loaded.hash == random_trajectories(2, seed=3).hash
    assert loaded.episode_lengths.tolist() == [50, 50]
