from __future__ import annotations

import os
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from nppac_envs import DoorConfig, PenConfig


@pytest.mark.parametrize(
    ("config", "states", "actions", "horizon"),
    [(DoorConfig(), 39, 28, 200), (PenConfig(), 45, 24, 100)],
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


def test_no_transition_of_a_vector_environment_crosses_a_reset():
    """Every next state equals that of a separate environment that follows the same actions."""
    config, count, steps = PenConfig(horizon=4), 3, 11
    envs = SyncVectorEnv([config.make] * count, autoreset_mode=AutoresetMode.SAME_STEP)
    alone = [config.make() for _ in range(count)]
    states, _ = envs.reset(seed=5)
    expected = np.stack([env.reset(seed=5 + i)[0] for i, env in enumerate(alone)])
    rng = np.random.default_rng(0)
    for step in range(1, steps + 1):
        np.testing.assert_array_equal(states, expected)
        actions = rng.uniform(-1, 1, (count, 24)).astype(np.float32)
        states, _, _, truncated, info = envs.step(actions)
        assert truncated.all() == (step % 4 == 0)
        next_states = np.stack(list(info["final_obs"])) if truncated.all() else states
        outcome = [env.step(action) for env, action in zip(alone, actions, strict=True)]
        np.testing.assert_array_equal(next_states, np.stack([o[0] for o in outcome]))
        expected = np.stack(
            [env.reset()[0] if o[3] else o[0] for env, o in zip(alone, outcome, strict=True)]
        )
        assert set(info) <= {"success", "_success", "final_obs", "_final_obs"} | {
            "final_info",
            "_final_info",
        }


def test_frames_are_drawn_off_screen():
    code = (
        "import nppac_envs\n"
        "env = nppac_envs.PenConfig().make(render_mode='rgb_array')\n"
        "env.reset(seed=0)\n"
        "try: frame = env.render()\n"
        "except nppac_envs.ConfigError: print('no renderer')\n"
        "else: print(frame.shape, frame.dtype, bool(frame.std() > 5)); env.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MUJOCO_GL": "egl"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    if done.stdout.strip() == "no renderer":
        pytest.skip("no EGL on this machine")
    assert done.stdout.strip() == "(480, 480, 3) uint8 True"
