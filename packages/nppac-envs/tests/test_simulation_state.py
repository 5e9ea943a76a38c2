from __future__ import annotations

from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import Autoreset
from nppac_envs import AntConfig, ConfigError, DoorConfig, EnvConfig, HammerConfig, HopperConfig
from nppac_envs.plugin import TASKS
from nppac_envs.simulation_state import (
    get_env_state,
    get_vector_state,
    set_env_state,
    set_vector_state,
)

pytestmark = pytest.mark.medium

CONFIGS = [config() for config in TASKS] + [
    AntConfig(variant="v2"),
    HammerConfig(reward="dense"),
]


def identifier(config: EnvConfig) -> str:
    return "-".join(str(value) for value in config.model_dump(exclude={"horizon"}).values())


@pytest.mark.parametrize("config", CONFIGS, ids=identifier)
def test_restored_mid_contact_150_further_steps_are_identical(config) -> None:
    rng = np.random.default_rng(0)
    env, other = config.make(), config.make()
    seen, _ = env.reset(seed=3)
    for step in range(150):
        seen = env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))[0]
        if step > 5 and env.unwrapped.simulator.data.ncon > 0:
            break
    assert env.unwrapped.simulator.data.ncon > 0, "something touches something"
    state = {name: value.copy() for name, value in get_env_state(env).items()}
    other.reset(seed=77)
    np.testing.assert_array_equal(set_env_state(other, state), seen, strict=True)
    for _ in range(150):
        action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        (one, *rest), (two, *others) = env.step(action), other.step(action)
        np.testing.assert_array_equal(one, two)
        assert rest == others
        if rest[1] or rest[2]:
            (one, _), (two, _) = env.reset(), other.reset()
            np.testing.assert_array_equal(one, two)


def test_the_solvers_warm_start_is_that_of_the_state(monkeypatch) -> None:
    """A forward pass moves it in MuJoCo before 4.0, to where the next step would begin."""
    forward = mujoco.mj_forward

    def forward_as_before(model, data):
        forward(model, data)
        data.qacc_warmstart[:] += 1.0

    env: Any = HopperConfig().make()
    env.reset(seed=3)
    for _ in range(20):
        env.step(env.action_space.sample())
    data = env.unwrapped.simulator.data
    state, before = get_env_state(env), data.qacc_warmstart.copy()
    assert before.any()
    monkeypatch.setattr(mujoco, "mj_forward", forward_as_before)
    set_env_state(env, state)
    np.testing.assert_array_equal(data.qacc_warmstart, before)


@pytest.mark.parametrize("config", CONFIGS, ids=identifier)
def test_every_model_field_that_a_reset_changes_is_saved(config) -> None:
    task = config.make().unwrapped
    model = task.simulator.model
    names = [n for n in dir(model) if isinstance(getattr(model, n, None), np.ndarray)]
    task.reset(seed=1)
    before = {name: getattr(model, name).copy() for name in names}
    task.reset(seed=2)
    changed = {n for n in names if not np.array_equal(before[n], getattr(model, n))}
    assert bool(changed) == bool(task.model_fields)
    assert changed <= set(task.get_state())


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_a_vector_environment_knows_which_parts_to_reset(mode) -> None:
    """Saved right after an episode's end; every later step is the same, reset or not."""
    config = HopperConfig(horizon=5)
    one, two = (SyncVectorEnv([config.make] * 2, autoreset_mode=mode) for _ in range(2))
    rng = np.random.default_rng(0)
    one.reset(seed=1)
    two.reset(seed=50)
    for _ in range(5):
        seen, _, _, truncated, _ = one.step(rng.uniform(-1, 1, (2, 3)).astype(np.float32))
    assert truncated.all()
    np.testing.assert_array_equal(set_vector_state(two, get_vector_state(one)), seen)
    for _ in range(12):
        actions = rng.uniform(-1, 1, (2, 3)).astype(np.float32)
        for first, second in zip(one.step(actions)[:4], two.step(actions)[:4], strict=True):
            np.testing.assert_array_equal(first, second)


def test_the_flag_of_an_autoreset_wrapper_is_saved() -> None:
    one, two = (Autoreset(HopperConfig(horizon=3).make()) for _ in range(2))
    one.reset(seed=1)
    two.reset(seed=2)
    action = np.zeros(3, np.float32)
    for _ in range(3):
        one.step(action)
    set_env_state(two, get_env_state(one))
    for _ in range(5):
        (first, *rest), (second, *others) = one.step(action), two.step(action)
        np.testing.assert_array_equal(first, second)
        assert rest == others


def test_a_task_without_a_state_is_refused() -> None:
    env = gym.make("CartPole-v1")
    env.reset(seed=0)
    with pytest.raises(ConfigError, match="cannot be saved and resumed"):
        get_env_state(env)


def test_before_the_first_reset_there_is_no_state() -> None:
    with pytest.raises(ConfigError, match="before its first reset"):
        get_env_state(DoorConfig().make())


def test_a_state_of_other_wrappers_is_refused() -> None:
    env = DoorConfig().make()
    env.reset(seed=0)
    with pytest.raises(ConfigError, match="of an environment with wrappers"):
        set_env_state(env.unwrapped, get_env_state(env))


def test_a_state_that_is_not_taken_up_is_refused() -> None:
    env = HopperConfig().make()
    env.reset(seed=0)
    state = get_env_state(env)
    env.step(np.zeros(3, np.float32))
    task: Any = env.unwrapped
    task.set_state = lambda state: None
    with pytest.raises(ConfigError, match=r"set_state\(\) of .* does not bring back"):
        set_env_state(env, state)


@pytest.mark.parametrize("value", [{"x": 1.0}, "there", None, [[1.0], [1.0, 2.0]]])
def test_a_state_that_is_no_dict_of_arrays_is_refused_with_its_part(value) -> None:
    env = gym.make("CartPole-v1")
    env.reset(seed=0)
    task: Any = env.unwrapped
    task.get_state, task.set_state = lambda: {"x": np.zeros(2), "joint": value}, print
    with pytest.raises(ConfigError, match=r"CartPoleEnv has .* under 'joint'; it has to be a dict"):
        get_env_state(env)
