"""One set of episodes in every layout of arrays that people keep them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import DataError, NpzConfig
from nppac_envs.demonstrations import npz
from nppac_envs.demonstrations.doctor import examine

LENGTHS = np.array([4, 2, 3])
LAST = np.cumsum(LENGTHS) - 1
STATES = np.arange(9.0)[:, None] * [1, 10]
NEXT = STATES + 0.5
ACTIONS = np.linspace(-1, 1, 18).reshape(9, 2)
ENDS = np.isin(np.arange(9), LAST)
STARTS = np.isin(np.arange(9), [0, 4, 6])


def padded(flat: np.ndarray, fill: float = 0.0) -> np.ndarray:
    """(3, 4, ...) from (9, ...)."""
    rows = np.full((3, 4, *flat.shape[1:]), fill, flat.dtype)
    rows[np.arange(4) < LENGTHS[:, None]] = flat
    return rows


def with_finals(states: np.ndarray, finals: np.ndarray) -> np.ndarray:
    """Each episode's states and the one after them."""
    return np.insert(states, LAST + 1, finals, axis=0)


PADDED = {"states": padded(STATES), "actions": padded(ACTIONS)}
LAYOUTS: dict[str, dict[str, Any]] = {
    "its own": {
        "states": STATES,
        "actions": ACTIONS,
        "episode_lengths": LENGTHS,
        "final_states": NEXT[LAST],
    },
    "transitions of imitation": {
        "obs": STATES,
        "acts": ACTIONS,
        "next_obs": NEXT,
        "dones": ENDS,
        "infos": np.array([{}] * 9),
    },
    "trajectories of imitation": {
        "obs": with_finals(STATES, NEXT[LAST]),
        "acts": ACTIONS,
        "indices": np.array([4, 6]),
        "terminal": np.zeros(3, bool),
    },
    "flags of D4RL": {
        "observations": STATES,
        "actions": ACTIONS,
        "next_observations": NEXT,
        "timeouts": ENDS,
        "terminals": np.zeros((9, 1), bool),
    },
    "starts": {
        "obs": STATES,
        "actions": ACTIONS,
        "next_states": NEXT,
        "episode_starts": STARTS,
    },
    "padded with lengths": PADDED | {"episode_lengths": LENGTHS, "final_states": NEXT[LAST]},
    "padded with a mask": PADDED
    | {"next_states": padded(NEXT, np.nan), "mask": padded(np.ones(9, bool))},
    "padded, a state more than actions": {
        "states": np.stack(
            [
                np.vstack([STATES[:4], NEXT[3:4]]),
                np.vstack([STATES[4:6], NEXT[5:6], np.zeros((2, 2))]),
                np.vstack([STATES[6:9], NEXT[8:9], np.zeros((1, 2))]),
            ]
        ),
        "actions": padded(ACTIONS),
        "episode_lengths": LENGTHS,
    },
}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    def run(arrays: dict[str, Any], **settings: Any):
        np.savez(tmp_path / "set.npz", **arrays)
        return NpzConfig(path=tmp_path / "set.npz", **settings).load()

    return run


@pytest.mark.parametrize("name", LAYOUTS)
def test_all_layouts_are_the_same_episodes(load, name: str):
    expected = load(LAYOUTS["its own"])
    loaded = load(LAYOUTS[name])
    for array in ("states", "actions", "final_states", "episode_lengths"):
        np.testing.assert_array_equal(getattr(loaded, array), getattr(expected, array))


def test_terminal_states_are_kept_where_the_step_into_them_is(load):
    terminals = np.arange(9) == 5
    arrays = LAYOUTS["flags of D4RL"] | {"terminals": terminals}
    assert load(arrays).terminations.tolist() == [False, True, False]
    arrays = LAYOUTS["trajectories of imitation"] | {"terminal": np.array([True, False, True])}
    assert load(arrays).terminations.tolist() == [True, False, True]


def test_rewards_are_cut_like_states(load):
    arrays = PADDED | {"episode_lengths": LENGTHS, "rews": padded(np.arange(9.0))[..., None]}
    assert load(arrays).rewards.tolist() == [0, 1, 2, 4, 6, 7]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"obs": STATES, "acts": ACTIONS}, r"one episode is \[N\].* it has obs \(9, 2\), acts"),
        ({"obs": STATES, "acts": ACTIONS, "dones": 0 * ENDS}, "no step is marked in dones"),
        ({"obs": STATES, "acts": ACTIONS, "dones": ENDS[1:]}, "dones has 8 flags for 9 steps"),
        ({"obs": STATES, "acts": ACTIONS, "dones": ENDS * 2}, "must hold true and false"),
        ({"obs": STATES, "acts": ACTIONS, "episode_starts": ~STARTS}, "must mark the first step"),
        ({"obs": STATES}, r"no array 'actions' \(actions\); it has obs \(9, 2\)"),
        (PADDED, r"looks like padding; it has states \(3, 4, 2\), .* \{\"mask\": \"THEIRS\"\}"),
        (PADDED | {"episode_lengths": LENGTHS + 1}, "3 whole numbers from 1 to 4"),
        (PADDED | {"mask": padded(np.ones(9))[:, ::-1]}, "true up to an end"),
        (PADDED | {"actions": ACTIONS, "episode_lengths": LENGTHS}, "padded ones are"),
        (PADDED | {"rewards": np.zeros(9), "episode_lengths": LENGTHS}, "rewards has shape"),
    ],
)
def test_what_is_not_known_is_asked_for(load, arrays: dict[str, Any], message: str):
    with pytest.raises(DataError, match=message) as caught:
        load(arrays)
    assert "\n" not in str(caught.value)


def test_the_length_of_all_episodes_can_be_given(load):
    loaded = load({"obs": STATES, "acts": ACTIONS}, episode_length=3)
    assert loaded.episode_lengths.tolist() == [2, 2, 2]
    with pytest.raises(DataError, match="9 steps are no whole episodes of 4"):
        load({"obs": STATES, "acts": ACTIONS}, episode_length=4)


def test_arrays_of_equal_length_need_no_padding(load):
    rng = np.random.default_rng(0)
    arrays = {"obs": rng.normal(size=(5, 6, 3)), "acts": rng.uniform(-1, 1, (5, 6, 2))}
    assert load(arrays).episode_lengths.tolist() == [5] * 5


def test_arrays_that_are_left_out_are_named(load, tmp_path: Path):
    load(LAYOUTS["its own"] | {"force": np.zeros((9, 3)), "note": np.array(["a"] * 9)})
    found = {f.topic: f.text for f in examine(NpzConfig(path=tmp_path / "set.npz"))}
    assert found["left out"].endswith("state: force")


def test_the_headers_of_a_file_are_read_once(load, tmp_path: Path, monkeypatch):
    load(LAYOUTS["its own"])
    asked = []
    shapes = npz.npz_shapes
    monkeypatch.setattr(npz, "npz_shapes", lambda path: asked.append(path) or shapes(path))
    NpzConfig(path=tmp_path / "set.npz").load()
    assert len(asked) == 1
