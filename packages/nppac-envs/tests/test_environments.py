"""What every environment of this package does, whatever its task."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from nppac_envs import EnvConfig, EpisodeMeasures
from nppac_envs.plugin import TASKS as CONFIGS

pytestmark = pytest.mark.medium

KINDS = [config.model_fields["kind"].default for config in CONFIGS]


def actions(env: Any, count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = env.action_space.shape
    return [rng.uniform(-1, 1, shape).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("config", CONFIGS, ids=KINDS)
def test_gymnasiums_checker_accepts_the_registered_environment(config: Any):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*infinity.*")
        check_env(gymnasium.make(config.gymnasium_id).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("config", CONFIGS, ids=KINDS)
def test_a_default_config_is_the_registered_environment(config: Any):
    spec = gymnasium.registry[config.gymnasium_id]
    assert spec.max_episode_steps == config().horizon
    one, other = config().make(), gymnasium.make(config.gymnasium_id)
    one.reset(seed=1), other.reset(seed=1)
    for action in actions(one, 5):
        assert one.step(action)[1:] == other.step(action)[1:]


@pytest.mark.parametrize("config", CONFIGS, ids=KINDS)
def test_agents_get_boxes(config: type[EnvConfig]):
    env = config().make()
    observation, _ = env.reset(seed=0)
    assert isinstance(env.observation_space, gymnasium.spaces.Box)
    assert env.observation_space.dtype == np.float32
    assert env.observation_space.contains(observation)
    assert env.action_space == gymnasium.spaces.Box(-1.0, 1.0, env.action_space.shape, np.float32)


@pytest.mark.parametrize("config", CONFIGS, ids=KINDS)
def test_success_is_in_info_where_the_task_has_one_and_measured(config: type[EnvConfig]):
    made = config(horizon=6)
    env = made.make()
    _, info = env.reset(seed=0)
    total, rewards, running = EpisodeMeasures(1), [], True
    infos = [info]
    for action in actions(env, 6):
        assert running
        _, reward, terminated, truncated, info = env.step(action)
        total.update(np.array([info.get("success", False)]), np.array([reward]))
        rewards.append(reward)
        infos.append(info)
        running = not (terminated or truncated)
    assert not running, "truncated at the horizon"
    assert all(set(info) == ({"success"} if made.has_success else set()) for info in infos)
    measured = total.result()
    assert measured.returns[0] == pytest.approx(sum(rewards))
    assert measured.means().keys() == {
        "success_ever",
        "success_at_end",
        "solved_fraction",
        "time_to_success",
        "return_mean",
        "normalised_return",
    }


@pytest.mark.medium
@pytest.mark.parametrize("vector", [SyncVectorEnv, AsyncVectorEnv])
@pytest.mark.parametrize("config", CONFIGS, ids=KINDS)
def test_no_transition_of_a_vector_environment_crosses_a_reset(config, vector):
    """Every next state equals that of a separate environment that follows the same actions."""
    made, count, horizon = config(horizon=4), 2, 4
    envs = vector([made.make] * count, autoreset_mode=AutoresetMode.SAME_STEP)
    alone = [made.make() for _ in range(count)]
    states, _ = envs.reset(seed=5)
    expected = np.stack([env.reset(seed=5 + i)[0] for i, env in enumerate(alone)])
    for step, batch in enumerate(actions(envs, 2 * horizon + 1), start=1):
        np.testing.assert_array_equal(states, expected)
        states, rewards, terminated, truncated, info = envs.step(batch)
        assert truncated.all() == (step % horizon == 0)
        assert not terminated.any()
        next_states = np.stack(list(info["final_obs"])) if truncated.all() else states
        outcome = [env.step(action) for env, action in zip(alone, batch, strict=True)]
        np.testing.assert_array_equal(next_states, np.stack([o[0] for o in outcome]))
        np.testing.assert_array_equal(rewards, [o[1] for o in outcome])
        expected = np.stack(
            [env.reset()[0] if o[3] else o[0] for env, o in zip(alone, outcome, strict=True)]
        )
    envs.close()


@pytest.mark.slow
def test_frames_are_drawn_off_screen_and_drawing_changes_nothing():
    code = (
        "import numpy as np, nppac_envs\n"
        "from nppac_envs.plugin import TASKS\n"
        "for config in TASKS:\n"
        "    drawn, plain = config().make(render_mode='rgb_array'), config().make()\n"
        "    drawn.reset(seed=0), plain.reset(seed=0)\n"
        "    rng, frame = np.random.default_rng(0), None\n"
        "    for step in range(6):\n"
        "        action = rng.uniform(-1, 1, plain.action_space.shape).astype(np.float32)\n"
        "        one, other = drawn.step(action), plain.step(action)\n"
        "        assert np.array_equal(one[0], other[0]) and one[1:] == other[1:], config\n"
        "        try: frame = drawn.render() if step == 2 else frame\n"
        "        except nppac_envs.ConfigError: raise SystemExit('no renderer')\n"
        "    print(frame.shape, frame.dtype, bool(frame.std() > 5)); drawn.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MUJOCO_GL": "egl"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.stderr.strip() == "no renderer":
        pytest.skip("no EGL on this machine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(480, 480, 3) uint8 True"] * len(CONFIGS)
