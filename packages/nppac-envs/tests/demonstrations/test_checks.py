from __future__ import annotations

import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("states", np.zeros(8), "states has shape (8,)"),
        ("states", np.zeros((0, 5)), "states has shape (0, 5)"),
        ("actions", np.zeros((7, 2)), "actions has shape (7, 2), expected (8, 2)"),
        ("final_states", np.zeros((3, 4)), "final_states has shape (3, 4), expected (3, 5)"),
        ("final_states", np.zeros((2, 5)), "final_states has shape (2, 5), expected (3, 5)"),
        ("episode_lengths", np.array([3, 1, 5]), "sum to 9, but there are 8 steps"),
        ("episode_lengths", np.array([8, 0, 0]), "episode_lengths[1] is 0"),
        ("episode_lengths", np.array([9, -2, 1]), "episode_lengths[0] is 9"),
        ("episode_lengths", np.array([3.0, 1.0, 4.0]), "must be whole numbers"),
        ("episode_lengths", np.array([[3, 1, 4]]), "episode_lengths has shape (1, 3)"),
        ("rewards", np.zeros(7), "rewards has shape (7,), expected (8,)"),
        ("successes", np.zeros((8, 1), bool), "successes has shape (8, 1), expected (8,)"),
        ("rewards", np.array(["1"] * 8), "rewards holds <U1, not numbers"),
        ("states", np.full((8, 5), None), "states holds object, not numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_named(make_arrays, name, value, message):
    with pytest.raises(DataError) as caught:
        Demonstrations(**{**make_arrays(), name: value}, source="here")
    assert str(caught.value).startswith("here: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "row", "episode", "step"),
    [
        ("states", 0, 0, 0),
        ("states", 3, 1, 0),
        ("actions", 5, 2, 1),
        ("rewards", 7, 2, 3),
        ("final_states", 1, 1, 1),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_located(make_arrays, name, row, episode, step, value):
    arrays = make_arrays(lengths=(3, 1, 4))
    arrays[name][row] = value
    with pytest.raises(DataError, match=f"{name} is not finite.* episode {episode}, step {step}"):
        Demonstrations(**arrays)


def test_numbers_beyond_float32_are_not_finite(make_arrays):
    arrays = make_arrays()
    arrays["states"] = arrays["states"].astype(float)
    arrays["states"][4, 2] = 1e300
    with pytest.raises(DataError, match="not finite in float32 at episode 2, step 0"):
        Demonstrations(**arrays)


def test_actions_outside_the_box_are_counted(make_arrays):
    arrays = make_arrays()
    arrays["actions"][2] = (1.5, -2.0)
    with pytest.raises(DataError) as caught:
        Demonstrations(**arrays)
    assert "2 of 16 action entries are outside [-1, 1]" in str(caught.value)
    assert "-2 to 1.5" in str(caught.value)
    assert "action_range: [LOW, HIGH]; or clip: true" in str(caught.value)
    assert "--action-range LOW HIGH; or --clip if" in caught.value.in_options()
