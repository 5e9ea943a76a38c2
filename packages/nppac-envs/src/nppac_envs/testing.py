"""Conformance tests that any environment's test module calls in three lines; needs pytest.

    from nppac_envs.testing import EnvConformance

    class TestMyEnv(EnvConformance):
        config = MyConfig(horizon=20)

Each test is one rule of the contract (`EnvConfig`). The horizon should be a few dozen steps, and
the config's `kind` has to be registered.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from gymnasium import Env
from gymnasium.spaces import Box
from numpy.typing import NDArray

from nppac_envs.checked_goals import checked_goals
from nppac_envs.config import EnvConfig
from nppac_envs.environments import env_config
from nppac_envs.simulation_state import get_env_state, set_env_state


class EnvConformance:
    """Base class of conformance tests; a subclass sets `config`.

    Attributes:
        config: What to test.
    """

    config: ClassVar[EnvConfig]

    def test_the_config_is_registered_and_survives_json(self) -> None:
        """A file holds all of it, under its kind; the kind and what has no default are enough."""
        data = self.config.model_dump(mode="json")
        assert env_config(data["kind"], data) == self.config
        fields = type(self.config).model_fields
        needed = {name: data[name] for name in fields if fields[name].is_required()}
        assert type(env_config(data["kind"], needed)) is type(self.config)

    def test_every_field_is_described(self) -> None:
        """Descriptions reach the JSON schema and with it people's editors."""
        fields = type(self.config).model_fields.items()
        missing = [name for name, field in fields if name != "kind" and not field.description]
        assert not missing, f"fields without a description: {missing}"

    def test_spaces_are_boxes(self) -> None:
        """Observations (S,) and actions (A,) in [-1, 1], both float32."""
        env = self.config.make()
        observations, actions = env.observation_space, env.action_space
        assert isinstance(observations, Box)
        assert observations.dtype == np.float32
        assert len(observations.shape) == 1
        assert actions == Box(-1.0, 1.0, actions.shape, np.float32), "actions are in [-1, 1]"
        assert len(actions.shape or ()) == 1
        shapes = (*observations.shape, *(actions.shape or ()))
        assert self.config.dimensions in (None, shapes)
        observation, _ = env.reset(seed=0)
        assert observations.contains(observation)

    def test_observations_and_rewards_are_finite(self) -> None:
        """For random actions and for those at the edge."""
        env = self.config.make()
        for actions in (_actions(env, self.config.horizon), _edges(env, self.config.horizon)):
            env.reset(seed=0)
            for observation, reward, *_ in _played(env, actions):
                assert env.observation_space.contains(observation)
                assert np.isfinite(observation).all()
                assert np.isfinite(reward)

    def test_an_episode_ends_within_the_horizon(self) -> None:
        """By termination, or truncated exactly at the horizon."""
        env = self.config.make()
        env.reset(seed=0)
        steps = _played(env, _actions(env, self.config.horizon + 1))
        *_, terminated, truncated, _ = steps[-1]
        assert terminated or truncated, f"still running after {self.config.horizon} steps"
        assert len(steps) <= self.config.horizon
        assert terminated or len(steps) == self.config.horizon, "truncated before the horizon"

    def test_success_is_reported_where_there_is_one(self) -> None:
        """Every step's info holds a bool `success`, or none does.

        Where the config cannot know (`has_success` is None), single steps may leave it out.
        """
        env = self.config.make()
        env.reset(seed=0)
        for *_, info in _played(env, _actions(env, self.config.horizon)):
            assert self.config.has_success in (None, "success" in info)
            assert isinstance(info.get("success", False), bool | np.bool_)

    def test_goals_say_what_the_environment_does(self) -> None:
        """Rewards and ends follow from goals as it states them, for many steps at once."""
        if self.config.goals() is None:
            pytest.skip("the environment states no goals")
        checked_goals(self.config)

    def test_the_seed_decides_the_episode(self) -> None:
        """Equal in another instance and wherever NumPy's global generator is; others differ."""
        starts = []
        for seed in (3, 3, 4):
            np.random.seed(len(starts))  # noqa: NPY002
            env = self.config.make()
            start, _ = env.reset(seed=seed)
            starts.append((start, _played(env, _actions(env, self.config.horizon))))
        (one, steps), (same, again), (other, _) = starts
        np.testing.assert_array_equal(one, same)
        _assert_equal(steps, again)
        assert not np.array_equal(one, other), "two seeds start in the same state"

    def test_a_stored_state_is_exact(self) -> None:
        """Restored into another instance, every further step and start is equal to the bit."""
        env, copy = self.config.make(), self.config.make()
        if not hasattr(env.unwrapped, "get_state"):
            pytest.skip("the environment offers no get_state")
        half = self.config.horizon // 2
        actions = _actions(env, self.config.horizon)
        env.reset(seed=5)
        copy.reset(seed=6)
        _played(env, actions[:half])
        state = get_env_state(env)
        expected = _played(env, actions[half:])
        set_env_state(copy, state)
        _assert_equal(_played(copy, actions[half:]), expected)
        np.testing.assert_array_equal(copy.reset()[0], env.reset()[0])


def _actions(env: Env[Any, Any], count: int) -> NDArray[np.float32]:
    """Uniform actions (count, A)."""
    shape = (count, *(env.action_space.shape or ()))
    return np.random.default_rng(0).uniform(-1.0, 1.0, shape).astype(np.float32)


def _edges(env: Env[Any, Any], count: int) -> NDArray[np.float32]:
    return np.sign(_actions(env, count))


def _played(env: Env[Any, Any], actions: NDArray[np.float32]) -> list[tuple[Any, ...]]:
    """What the steps return, until the episode ends."""
    steps: list[tuple[Any, ...]] = []
    for action in actions:
        steps.append(env.step(action))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


def _assert_equal(actual: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:] == other[1:]
