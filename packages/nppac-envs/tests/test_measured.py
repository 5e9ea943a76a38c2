from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from nppac_envs.measured import MeasureEpisodes
from nppac_envs.plugin import TASKS


class Script(gymnasium.Env):
    """Success at the steps that are told, with reward 2 there and 1 elsewhere."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self, successes):
        self.successes = successes

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.steps += 1
        success = self.steps in self.successes
        return np.zeros(1, np.float32), 1.0 + success, False, False, {"success": success}


def last_info(env):
    env.reset(seed=0)
    while True:
        *_, terminated, truncated, info = env.step(env.action_space.sample())
        if terminated or truncated:
            return info
        assert "episode_measures" not in info


def test_the_measures_by_hand():
    env = MeasureEpisodes(TimeLimit(Script({3, 4}), 8))
    expected = {
        "success_ever": 1.0,
        "success_at_end": 0.0,
        "solved_fraction": 0.25,
        "time_to_success": 3.0,
        "return": 10.0,
    }
    assert last_info(env)["episode_measures"] == expected
    assert last_info(env)["episode_measures"] == expected, "each episode starts from nothing"


def test_without_a_success_there_is_no_time():
    measures = last_info(MeasureEpisodes(TimeLimit(Script(set()), 5)))["episode_measures"]
    assert np.isnan(measures["time_to_success"])
    assert measures["success_ever"] == measures["solved_fraction"] == 0.0


def test_vector_environments_stack_them():
    def make(successes):
        return lambda: MeasureEpisodes(TimeLimit(Script(successes), 4))

    envs = SyncVectorEnv([make({4}), make({1})], autoreset_mode=AutoresetMode.SAME_STEP)
    envs.reset(seed=0)
    for _ in range(4):
        *_, info = envs.step(np.zeros((2, 1), np.float32))
    measures = info["final_info"]["episode_measures"]
    np.testing.assert_array_equal(measures["success_at_end"], [1.0, 0.0])
    np.testing.assert_array_equal(measures["time_to_success"], [4.0, 1.0])


@pytest.mark.parametrize("config", TASKS, ids=lambda config: config().kind)
def test_every_task_reports_them(config):
    measures = last_info(MeasureEpisodes(config(horizon=3).make()))["episode_measures"]
    assert len(measures) == 5
    assert np.isfinite(measures["return"])
