"""Spaces of others become those of the contract, or are refused with the space that is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete
from nppac_envs import ConfigError, GymnasiumConfig
from nppac_envs.checked import make_checked
from nppac_envs.foreign.adapted import MappedActions, action_bounds, adapted
from nppac_envs.testing import EnvConformance
from pydantic import ValidationError

pytestmark = pytest.mark.medium

IMAGE = Box(0, 255, (8, 8, 3), np.uint8)
ANGLES = Box(-1000, 1000, (2,), np.int64)
REAL = Box(-9.0, 9.0, (2,), np.float64)
ENTRIES = Dict({"time": Box(0, 9, (), np.int64), "goal": REAL, "angles": ANGLES})


def arm(**settings: Any) -> GymnasiumConfig:
    """The arm with keyword arguments that are no JSON."""
    kwargs = {k: settings.pop(k) for k in ("observations", "action_space") if k in settings}
    return GymnasiumConfig.model_construct(
        **{"id": "lab_arm:make", "horizon": 5, "kwargs": kwargs} | settings
    )


class TestPendulum(EnvConformance):
    config = GymnasiumConfig(id="Pendulum-v1", horizon=12)


class TestNamedSuccess(EnvConformance):
    config = GymnasiumConfig(id="nppac/Push-v0", horizon=12, success="success")


@pytest.mark.parametrize(
    ("action", "torques"),
    [([-1, -1], [-3, 0]), ([1, 1], [5, 2]), ([0, 0], [1, 1]), ([-0.5, 0.5], [-1, 1.5])],
)
def test_actions_are_mapped_onto_the_bounds_of_each_dimension(lab_arm, action, torques):
    env = make_checked(arm())
    env.reset(seed=0)
    env.step(np.array(action, np.float32))
    np.testing.assert_allclose(env.unwrapped.seen[0], torques)
    assert env.unwrapped.seen[0].dtype == np.float64
    np.testing.assert_array_equal(action_bounds(env), [[-3, 0], [5, 2]])


def test_actions_that_are_in_range_already_are_passed_on_as_they_are(lab_arm):
    unit = Box(-1.0, 1.0, (2,), np.float32)
    env = make_checked(arm(action_space=unit))
    env.reset(seed=0)
    action = np.array([1e-30, 0.3], np.float32)
    env.step(action)
    assert env.unwrapped.seen[0] is action
    assert action_bounds(env) is None


def test_a_mapped_action_never_leaves_the_bounds(lab_arm):
    rng = np.random.default_rng(0)
    ends = np.sort(rng.normal(size=(2, 500)) * 10.0 ** rng.uniform(-3, 3, (2, 500)), axis=0)
    assert (ends[0] + (ends[1] - ends[0]) > ends[1]).any(), "rounding does leave some"
    box = Box(*ends, dtype=np.float64)
    env = MappedActions(lab_arm.Arm(action_space=box))
    for value in (-1.0, 0.0, 1.0):
        assert box.contains(env.action(np.full(500, value, np.float32)))


def test_observations_become_float32(lab_arm):
    env = make_checked(arm())
    observation, _ = env.reset(seed=0)
    assert observation.dtype == np.float32
    np.testing.assert_array_equal(observation, env.unwrapped.angles)
    assert env.observation_space == Box(-1000.0, 1000.0, (2,), np.float32)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (None, ["angles", "goal", "time"]),
        (["time", "angles"], ["angles", "time"]),
        (["goal"], ["goal"]),
    ],
)
def test_dict_observations_are_flattened_in_gymnasiums_order(lab_arm, keys, expected):
    env = make_checked(arm(observations=ENTRIES, observation_keys=keys))
    env.reset(seed=0)
    observation, *_ = env.step(np.zeros(2, np.float32))
    values = {"angles": env.unwrapped.angles, "goal": [1, 2], "time": [1]}
    np.testing.assert_array_equal(observation, np.concatenate([values[k] for k in expected]))
    assert env.observation_space.shape == observation.shape


def test_an_image_entry_is_left_out_by_naming_the_others(lab_arm):
    mixed = Dict({"camera": IMAGE, "goal": REAL})
    with pytest.raises(ConfigError, match=r"entry 'camera' is Box\(0, 255.*observation_keys"):
        make_checked(arm(observations=mixed, observation_keys=None))
    assert make_checked(arm(observations=mixed, observation_keys=["goal"]))


@pytest.mark.parametrize(
    ("spaces", "message"),
    [
        ({"observations": IMAGE}, r"observation space is Box\(0, 255, \(8, 8, 3\), uint8\)"),
        ({"observations": Discrete(4)}, r"observation space is Discrete\(4\)"),
        ({"action_space": Discrete(3)}, r"action space is Discrete\(3\)"),
        ({"action_space": Box(-1, 1, (2, 2))}, r"action space is Box\(-1.0, 1.0, \(2, 2\)"),
        ({"action_space": Box(0, 9, (2,), np.int64)}, r"action space is Box\(0, 9, \(2,\), int64"),
    ],
)
def test_images_and_discrete_spaces_are_refused_with_the_space(lab_arm, spaces, message):
    with pytest.raises(ConfigError, match=message) as caught:
        make_checked(arm(**spaces))
    assert "nppac learns from vectors of numbers with continuous actions" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, 1.0), (0.0, np.inf), (0.5, 0.5)])
def test_unbounded_actions_are_refused_with_the_dimension(lab_arm, low, high):
    space = Box(np.array([-1.0, low]), np.array([1.0, high]), dtype=np.float64)
    with pytest.raises(ConfigError, match=f"dimension 1 goes from {low:g} to {high:g}"):
        make_checked(arm(action_space=space))


def test_observation_keys_need_a_dict_that_has_them(lab_arm):
    with pytest.raises(ConfigError, match="which is no Dict"):
        adapted(arm(observation_keys=["goal"]))
    with pytest.raises(ConfigError, match="no observation 'gaol'; it has 'angles', 'goal', 'time'"):
        adapted(arm(observations=ENTRIES, observation_keys=["gaol"]))


def test_the_least_and_greatest_reward_can_be_told():
    assert GymnasiumConfig(id="Pendulum-v1").reward_range is None
    assert GymnasiumConfig(id="Pendulum-v1", rewards=(-17, 0)).reward_range == (-17.0, 0.0)
    with pytest.raises(ValidationError, match="least, 1, is above the greatest, 0"):
        GymnasiumConfig(id="Pendulum-v1", rewards=(1, 0))
