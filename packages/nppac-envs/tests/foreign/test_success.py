"""Success is found by itself, by a named flag, or by a comparison; never claimed in vain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nppac_envs import ConfigError, GymnasiumConfig
from nppac_envs.checked import make_checked
from nppac_envs.demonstrations.recording import knows_success, record
from nppac_envs.errors import FaultyEnvironmentError
from pydantic import ValidationError

STILL = np.zeros(2, np.float32)


def arm(told: Any = ("is_success", "always"), **settings: Any) -> GymnasiumConfig:
    return GymnasiumConfig(id="lab_arm:make", kwargs={"told": list(told), "length": 4}, **settings)


def flags(config: GymnasiumConfig) -> list[Any]:
    env = make_checked(config)
    env.reset(seed=0)
    return [env.step(STILL)[4].get("success") for _ in range(4)]


@pytest.mark.parametrize("key", ["success", "is_success"])
def test_the_usual_flags_are_found_by_themselves(lab_arm, key):
    assert flags(arm((key, "always"))) == [False, False, True, True]


def test_a_flag_of_another_name_is_named(lab_arm):
    assert flags(arm(("solved", "always"), success="solved")) == [False, False, True, True]
    assert flags(arm(("solved", "always"))) == [None] * 4


@pytest.mark.parametrize(
    ("comparison", "number", "expected"),
    [
        ("<", 8, [0, 0, 1, 1]),
        ("<=", 8, [0, 1, 1, 1]),
        (">", 8, [1, 0, 0, 0]),
        (">=", 8, [1, 1, 0, 0]),
        ("==", 8, [0, 1, 0, 0]),
    ],
)
def test_a_number_is_compared(lab_arm, comparison, number, expected):
    test = {"key": "distance", "comparison": comparison, "number": number}
    assert flags(arm(success=test)) == [bool(flag) for flag in expected]


def test_a_flag_may_come_at_the_end_alone(lab_arm):
    assert flags(arm(("is_success", "end"))) == [None, None, None, True]
    assert flags(arm(("solved", "end"), success="solved")) == [False, False, False, True]
    demonstrations, _ = record(arm(("is_success", "end")), lambda s: STILL, 2, keep="at-end")
    np.testing.assert_array_equal(demonstrations.successes, [False, False, False, True] * 2)


@pytest.mark.parametrize(
    "success", ["goal", {"key": "goal", "comparison": "<", "number": 1}], ids=["flag", "number"]
)
def test_a_name_that_no_info_of_an_episode_has_is_a_fault(lab_arm, success):
    with pytest.raises(
        FaultyEnvironmentError, match=r"no info of a whole episode held 'goal'.*'distance'"
    ):
        flags(arm(success=success))


def test_an_info_that_is_no_number_is_a_fault(lab_arm):
    env = make_checked(arm(success="distance"))
    env.reset(seed=0)
    env.unwrapped.step = lambda action: (
        env.unwrapped._observation(), 0.0, False, False, {"distance": "far"}
    )  # fmt: skip
    with pytest.raises(FaultyEnvironmentError, match=r'info\["distance"\] is a str'):
        env.step(STILL)


def test_whether_success_is_known_is_found_by_playing(lab_arm):
    assert knows_success(arm())
    assert not knows_success(arm(("solved", "always")))
    with pytest.raises(ConfigError, match="'lab_arm:make' knows no success"):
        record(arm(("solved", "always")), lambda s: STILL, 1, keep="ever")


@pytest.mark.parametrize("comparison", ["!=", "in", "__import__('os')"])
def test_other_comparisons_and_code_are_refused(comparison):
    with pytest.raises(ValidationError, match="comparison"):
        arm(success={"key": "distance", "comparison": comparison, "number": 1})
