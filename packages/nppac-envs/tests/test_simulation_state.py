from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from nppac_envs import ConfigError, DoorConfig, PenConfig
from nppac_envs.simulation_state import get_env_state, set_env_state


@pytest.mark.parametrize("config", [DoorConfig(), PenConfig()])
def test_restored_mid_contact_500_further_steps_are_identical(config) -> None:
    rng = np.random.default_rng(0)
    env, other = config.make(), config.make()
    env.reset(seed=3)
    for _ in range(150):
        env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
        if env.unwrapped.simulator.data.ncon > 0:
            break
    assert env.unwrapped.simulator.data.ncon > 0, "the hand touches something"
    state = {name: value.copy() for name, value in get_env_state(env).items()}
    other.reset(seed=77)
    set_env_state(other, state)
    for _ in range(500):
        action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        (one, *rest), (two, *others) = env.step(action), other.step(action)
        np.testing.assert_array_equal(one, two)
        assert rest == others
        if rest[2]:
            (one, _), (two, _) = env.reset(), other.reset()
            np.testing.assert_array_equal(one, two)


def test_every_model_field_that_a_reset_changes_is_saved() -> None:
    for config in (DoorConfig(), PenConfig()):
        task = config.make().unwrapped
        model = task.simulator.model
        names = [n for n in dir(model) if isinstance(getattr(model, n, None), np.ndarray)]
        task.reset(seed=1)
        before = {name: getattr(model, name).copy() for name in names}
        task.reset(seed=2)
        changed = {n for n in names if not np.array_equal(before[n], getattr(model, n))}
        assert changed
        assert changed <= set(task.get_state())


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
