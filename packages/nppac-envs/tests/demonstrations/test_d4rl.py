from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nppac_envs import D4rlConfig, DataError


def columns(steps: int = 6) -> dict[str, np.ndarray]:
    """Two episodes of three steps; the second ends in a terminal state."""
    states = np.repeat(np.arange(float(steps))[:, None], 3, axis=1)
    flags = np.zeros((2, steps), bool)
    flags[0, 2] = flags[1, 5] = True
    return {
        "observations": states,
        "actions": np.full((steps, 2), 0.5),
        "rewards": np.arange(float(steps)),
        "timeouts": flags[0],
        "terminals": flags[1],
        "next_observations": states + 0.5,
    }


def load(folder: Path, arrays: dict[str, Any], **settings: Any):
    with h5py.File(folder / "set.hdf5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return D4rlConfig(path=folder / "set.hdf5", **settings).load()


def without(*names: str) -> dict[str, np.ndarray]:
    return {name: array for name, array in columns().items() if name not in names}


def test_episodes_end_at_either_flag(tmp_path: Path):
    loaded = load(tmp_path, columns())
    assert loaded.episode_lengths.tolist() == [3, 3]
    assert loaded.final_states[:, 0].tolist() == [2.5, 5.5]
    assert loaded.transitions()["terminals"].tolist() == [False] * 5 + [True]
    assert loaded.rewards.tolist() == list(range(6))


def test_without_next_observations_the_last_action_goes(tmp_path: Path):
    loaded = load(tmp_path, without("next_observations"))
    assert loaded.states[:, 0].tolist() == [0, 1, 3, 4]
    assert loaded.final_states[:, 0].tolist() == [2, 5]
    assert loaded.rewards.tolist() == [0, 1, 3, 4]
    assert loaded.terminations is None, "the terminal step itself was dropped"


def test_an_episode_that_the_file_cuts_counts(tmp_path: Path):
    assert load(tmp_path, without("terminals")).episode_lengths.tolist() == [3, 3]
    flags = np.arange(6) == 2
    loaded = load(tmp_path, without("terminals", "rewards") | {"timeouts": flags})
    assert loaded.episode_lengths.tolist() == [3, 3]
    assert loaded.rewards is None


def test_a_file_that_marks_no_end_is_refused(tmp_path: Path):
    """The first D4RL files of locomotion: a thousand rows an episode, and nothing says so."""
    for arrays in (
        without("terminals", "timeouts"),
        without("timeouts") | {"terminals": np.zeros(6, bool)},
        columns() | {"terminals": np.zeros(6, bool), "timeouts": np.zeros(6, bool)},
    ):
        with pytest.raises(DataError, match="the ends of its episodes are not known"):
            load(tmp_path, arrays)


def test_an_episode_of_one_step_can_be_excluded(tmp_path: Path):
    arrays = without("next_observations") | {"timeouts": np.isin(np.arange(6), (2, 3))}
    with pytest.raises(
        DataError, match=r"episode 1 has one step; .* what cannot be used: exclude: \[1\]"
    ):
        load(tmp_path, arrays)
    loaded = load(tmp_path, arrays, exclude=(1,))
    assert loaded.states[:, 0].tolist() == [0, 1, 4]
    assert loaded.final_states[:, 0].tolist() == [2, 5]
    assert loaded.rewards.tolist() == [0, 1, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actions": np.zeros((5, 2))}, "'actions' has shape"),
        ({"observations": np.zeros((0, 3))}, "'observations' has shape"),
        ({"observations": 3.0}, "'observations' has shape"),
        ({"observations": np.zeros((6, 3, 2))}, "must be two-dimensional"),
        ({"timeouts": np.arange(6)}, "one flag a step"),
        ({"rewards": np.array([b"a"] * 6)}, "array of numbers 'rewards'"),
        ({"actions": np.full((6, 2), 2.0)}, "outside"),
        ({"next_observations": np.full((6, 3), np.nan)}, "final_states is not finite"),
    ],
)
def test_broken_arrays_are_one_line(tmp_path: Path, change: dict[str, Any], message: str):
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path, columns() | change)
    assert "\n" not in str(caught.value)


def test_a_missing_array_or_file(tmp_path: Path):
    with pytest.raises(DataError, match="'actions'"):
        load(tmp_path, without("actions"))
    with pytest.raises(DataError, match="no such file"):
        D4rlConfig(path=tmp_path / "none.hdf5").load()


def test_a_huge_array_that_is_not_there_is_refused(tmp_path: Path):
    with h5py.File(tmp_path / "huge.hdf5", "w") as file:
        for name, width in (("observations", 39), ("actions", 28)):
            file.create_dataset(name, (10**9, width), "f8", chunks=(1, width))
    with pytest.raises(DataError, match="more bytes than the file can hold"):
        D4rlConfig(path=tmp_path / "huge.hdf5").load()


def test_numbers_of_other_files_are_not_read(tmp_path: Path):
    (tmp_path / "secret").write_bytes(np.zeros(1000).tobytes())
    with h5py.File(tmp_path / "external.hdf5", "w") as file:
        file.create_dataset(
            "observations", (6, 3), "f8", external=[(str(tmp_path / "secret"), 0, 8000)]
        )
    with h5py.File(tmp_path / "linked.hdf5", "w") as file:
        file["observations"] = h5py.ExternalLink(str(tmp_path / "external.hdf5"), "observations")
    with h5py.File(tmp_path / "twice.hdf5", "w") as file:
        file["observations"] = np.zeros((6, 3))
        file["actions"] = file["observations"]
    for name, message in (
        ("external", "stored elsewhere"),
        ("linked", "stored elsewhere"),
        ("twice", "several places"),
    ):
        with pytest.raises(DataError, match=message):
            D4rlConfig(path=tmp_path / f"{name}.hdf5").load()


def test_arrays_of_other_names_and_places(tmp_path: Path):
    renamed = {
        "log/q": columns()["observations"],
        "log/goal": np.full(6, 7.0),
        "log/u": columns()["actions"],
        "last": columns()["timeouts"],
        "ok": np.arange(6) == 1,
    }
    fields = {"states": "log/q, log/goal", "actions": "log/u", "timeouts": "last"}
    loaded = load(tmp_path, renamed, fields=fields | {"successes": "ok"})
    assert loaded.states.tolist() == [[i, i, i, 7] for i in (0, 1, 3, 4)]
    assert loaded.successes.tolist() == [False, True, False, False]
    (tmp_path / "set.hdf5").unlink()
    with pytest.raises(DataError, match=r"'u' \(actions\); it has last \(6,\), log/goal") as caught:
        load(tmp_path, renamed, fields=fields | {"actions": "u"})
    assert caught.value.in_options().endswith("--map actions=THEIRS")


def test_the_length_of_all_episodes_can_be_given(tmp_path: Path):
    arrays = without("terminals", "timeouts", "next_observations")
    with pytest.raises(DataError, match="give their length, episode_length: ") as caught:
        load(tmp_path, arrays)
    assert "--episode-length N" in caught.value.in_options()
    (tmp_path / "set.hdf5").unlink()
    assert load(tmp_path, arrays, episode_length=2).episode_lengths.tolist() == [1, 1, 1]


def test_boundaries_that_contradict_the_states_are_found(tmp_path: Path):
    """The state after a step is the next row's, unless an episode ends there."""
    torn = columns()
    torn["observations"] = torn["observations"] + 100 * (np.arange(6) > 1)[:, None]
    torn["next_observations"] = torn["observations"] + 1
    torn["next_observations"][1] = 2
    load(tmp_path, torn)
    (remark,) = D4rlConfig(path=tmp_path / "set.hdf5").remarks()
    assert (remark.level, remark.topic) == ("error", "episode boundaries")
    assert "1 steps within episode 0 (the first after row 1)" in remark.text
    assert not [*D4rlConfig(path=tmp_path / "set.hdf5", exclude=(0,)).remarks()]
    (tmp_path / "set.hdf5").unlink()
    torn["timeouts"] = torn["timeouts"] | (np.arange(6) == 1)
    load(tmp_path, torn)
    assert not [*D4rlConfig(path=tmp_path / "set.hdf5").remarks()]


def test_arrays_with_a_row_a_step_that_are_left_out_are_named(tmp_path: Path):
    load(tmp_path, columns() | {"goal": np.zeros((6, 2)), "log/other": np.zeros(4)})
    remarks = [*D4rlConfig(path=tmp_path / "set.hdf5").remarks()]
    assert [
        remark.text.rpartition(": ")[2] for remark in remarks if remark.topic == "left out"
    ] == ["goal"]


def test_goals_within_a_group_are_named_and_can_be_read(tmp_path: Path):
    """As in mazes; the simulator's own state there repeats what is observed."""
    goals = np.arange(12.0).reshape(6, 2)
    more = {"infos/goal": goals, "infos/qpos": np.zeros((6, 2)), "metadata/target": np.zeros(2)}
    load(tmp_path, without("next_observations") | more)
    (remark,) = D4rlConfig(path=tmp_path / "set.hdf5").remarks()
    assert remark.text == "not read, though it may belong to the state: infos/goal"
    fields = dict(remark.remedies[0]["fields"])
    loaded = D4rlConfig(path=tmp_path / "set.hdf5", fields=fields).load()
    width = columns()["observations"].shape[1]
    assert loaded.states.shape[1] == width + 2
    np.testing.assert_array_equal(loaded.states[0, width:], goals[0])
