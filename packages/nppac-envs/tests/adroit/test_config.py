from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from nppac_envs import DoorConfig, HammerConfig, PenConfig, RelocateConfig


@pytest.mark.parametrize(
    ("config", "states", "actions", "horizon"),
    [
        (DoorConfig(), 39, 28, 200),
        (PenConfig(), 45, 24, 100),
        (HammerConfig(), 46, 26, 200),
        (RelocateConfig(), 39, 30, 200),
    ],
)
def test_made_environments_have_the_papers_sizes_and_horizon(config, states, actions, horizon):
    env = config.make()
    observation, info = env.reset(seed=0)
    assert config.has_success
    assert config.horizon == horizon
    assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (states,), np.float32)
    assert env.action_space == gymnasium.spaces.Box(-1.0, 1.0, (actions,), np.float32)
    assert observation in env.observation_space
    assert info == {"success": False}


@pytest.mark.parametrize("config", [DoorConfig(horizon=7), PenConfig(horizon=7)])
def test_episodes_are_truncated_at_the_horizon_and_never_terminate(config):
    env = config.make()
    env.reset(seed=0)
    env.action_space.seed(0)
    ends = []
    for _ in range(7):
        _, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert not terminated
        assert list(info) == ["success"]
        assert type(info["success"]) is bool
        assert reward == float(info["success"])
        ends.append(truncated)
    assert ends == [False] * 6 + [True]


def test_configs_survive_json():
    config = PenConfig(reward="binary", horizon=200)
    assert PenConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("reward", "expected"),
    [("zero-one", (0.0, 1.0)), ("binary", (-1.0, 0.0)), ("sparse", None), ("dense", None)],
)
def test_rewards_that_follow_from_success_have_a_known_range(reward, expected):
    assert DoorConfig(reward=reward).reward_range == expected
