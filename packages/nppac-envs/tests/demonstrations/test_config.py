from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from nppac_envs import DataError, NpzConfig
from pydantic import ValidationError


@pytest.fixture
def outside(make_arrays, tmp_path: Path) -> Path:
    """A set with action entries outside [-1, 1] in its first and last episode."""
    arrays = make_arrays(lengths=(3, 1, 4))
    arrays["actions"][0, 0], arrays["actions"][7] = 1.25, -3.0
    np.savez(tmp_path / "set.npz", **arrays)
    return tmp_path / "set.npz"


def test_actions_outside_the_box_are_refused_or_clipped(outside: Path, caplog):
    with pytest.raises(DataError, match=r"3 of 16 .*action_range: \[LOW, HIGH\]; or clip: true"):
        NpzConfig(path=outside).load()
    with caplog.at_level(logging.INFO, "nppac_envs"):
        clipped = NpzConfig(path=outside, clip=True).load()
    assert clipped.n_clipped == 3
    assert "clipped 3 of 16 action entries" in caplog.text
    assert clipped.actions[0, 0] == 1.0
    assert clipped.actions[7].tolist() == [-1.0, -1.0]


def test_n_episodes_comes_before_the_checks_of_values(outside: Path):
    loaded = NpzConfig(path=outside, n_episodes=2, clip=True).load()
    assert loaded.n_clipped == 1
    assert loaded.episode_lengths.tolist() == [3, 1]
    with pytest.raises(DataError, match="n_episodes is 4, but there are 3 episodes"):
        NpzConfig(path=outside, n_episodes=4).load()
    with pytest.raises(ValidationError):
        NpzConfig(path=outside, n_episodes=0)


def test_clipping_does_not_hide_infinity(make_arrays, tmp_path: Path):
    arrays = make_arrays()
    arrays["actions"][4, 1] = np.inf
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(DataError, match=r"actions is not finite.*episode 2, step 0"):
        NpzConfig(path=tmp_path / "set.npz", clip=True).load()


def test_a_range_is_mapped_onto_the_policys(make_arrays, tmp_path: Path):
    arrays = make_arrays(lengths=(4,))
    arrays["actions"] = np.array([[-2, 0], [0, 5], [2, 10], [1, 2.5]], np.float32)
    np.savez(tmp_path / "set.npz", **arrays)
    loaded = NpzConfig(path=tmp_path / "set.npz", action_range=([-2, 0], [2, 10])).load()
    assert loaded.actions.tolist() == [[-1, -1], [0, 0], [1, 1], [0.5, -0.5]]
    assert loaded.n_rescaled == 7, "0 stays 0 in one entry"
    with pytest.raises(DataError, match="outside"):
        NpzConfig(path=tmp_path / "set.npz", action_range=(-2, 2)).load()


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (([-1, -1, -1], 1), "one finite number or 2"),
        (([-1, -1, -1], [1, 1, 1]), "one finite number or 2"),
    ],
)
def test_impossible_ranges_are_one_line(bounds, message: str, outside: Path):
    with pytest.raises(DataError, match=message) as caught:
        NpzConfig(path=outside, action_range=bounds).load()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"action_range": (-1, float("inf"))}, "finite number"),
        ({"action_range": (1, -1)}, "action_range must be lowest first, got 1.0 and -1.0"),
        ({"action_range": ([-1, 1], [1, 1])}, "lowest first"),
        ({"action_range": ([-1, -1], [1, 1, 1])}, "lowest first"),
        ({"exclude": (-1,)}, "greater than or equal to 0"),
        ({"n_episodes": 2, "exclude": (2,)}, "some of the episodes 0 to 1, not all; got \\[2\\]"),
        ({"n_episodes": 2, "exclude": (1, 0, 1)}, "some of the episodes 0 to 1, not all"),
    ],
)
def test_what_no_set_could_fit_is_refused_before_one_is_read(settings, message: str):
    with pytest.raises(ValidationError, match=message):
        NpzConfig(path=Path("not-there.npz"), **settings)


def test_what_a_set_could_fit_waits_for_the_set():
    NpzConfig(path=Path("not-there.npz"), n_episodes=2, exclude=(1, 1))
    NpzConfig(path=Path("not-there.npz"), exclude=(7,))
    NpzConfig(path=Path("not-there.npz"), action_range=([-1, -2], 0))


@pytest.mark.parametrize("top", [0.4, 1.3, 7.1])
def test_the_ends_of_a_range_land_inside_the_box(top: float, make_arrays, tmp_path: Path):
    """A bound given in float64 and an action stored in float32 must not miss each other."""
    arrays = make_arrays(lengths=(2,))
    arrays["actions"] = np.array([[top, -top], [-top, top]], np.float32)
    np.savez(tmp_path / "set.npz", **arrays)
    loaded = NpzConfig(path=tmp_path / "set.npz", action_range=(-top, top)).load()
    assert loaded.actions.tolist() == [[1, -1], [-1, 1]]


def test_a_hash_pins_the_set(make_arrays, tmp_path: Path):
    np.savez(tmp_path / "set.npz", **make_arrays())
    expected = NpzConfig(path=tmp_path / "set.npz").load().hash
    assert NpzConfig(path=tmp_path / "set.npz", hash=expected).load().hash == expected
    with pytest.raises(DataError, match="another set than expected"):
        NpzConfig(path=tmp_path / "set.npz", hash=expected, n_episodes=1).load()
    with pytest.raises(ValidationError):
        NpzConfig(path=tmp_path / "set.npz", hash="abc")
