"""AWAC's random data: what `nppac-demos record --policy ornstein-uhlenbeck` makes of this task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nppac_envs import NpzConfig, PushConfig
from nppac_envs.cli import main
from nppac_envs.random_process import OrnsteinUhlenbeck


def test_recorded_trajectories_are_the_process_in_the_environment(tmp_path: Path):
    path = tmp_path / "push.npz"
    options = ["--task", "push", "--policy", "ornstein-uhlenbeck", "--episodes", "2"]
    assert main(["record", *options, "--set", "horizon=5", "--output", str(path)]) == 0
    recorded = NpzConfig(path=path).load()
    env = PushConfig(horizon=5).make()
    process = OrnsteinUhlenbeck(2, np.random.default_rng(0), theta=0.15, sigma=0.3)
    assert recorded.rewards is not None
    assert recorded.successes is not None
    for episode in range(2):
        process.reset()
        state, _ = env.reset(seed=episode)
        for step in range(5 * episode, 5 * episode + 5):
            np.testing.assert_array_equal(recorded.states[step], state)
            np.testing.assert_array_equal(recorded.actions[step], process(state))
            state, reward, _, _, info = env.step(recorded.actions[step])
            assert recorded.rewards[step] == pytest.approx(reward)
            assert recorded.successes[step] == info["success"]
        np.testing.assert_array_equal(recorded.final_states[episode], state)
