from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nppac_envs import AwacConfig, DataError, MinariConfig


def path(steps: int, offset: float = 0.0, *, dicts: bool = True) -> dict[str, Any]:
    """Observation t starts with offset + t; one reward more than steps, as published."""
    rows = [np.array([offset + t, 1.0, 2.0]) for t in range(steps + 1)]
    wrap = (lambda row: {"observation": row, "state_observation": row}) if dicts else (lambda r: r)
    return {
        "observations": [wrap(row) for row in rows[:-1]],
        "next_observations": [wrap(row) for row in rows[1:]],
        "actions": [np.full(2, 0.1 * t) for t in range(steps)],
        "rewards": np.arange(steps + 1.0),
        "terminals": np.zeros(steps),
        "agent_infos": [{} for _ in range(steps)],
        "env_infos": [{} for _ in range(steps)],
    }


def load(paths: list[Any], folder: Path, **settings: Any):
    array = np.empty(len(paths), object)
    array[:] = paths
    np.save(folder / "paths.npy", array, allow_pickle=True)
    return AwacConfig(path=folder / "paths.npy", **settings).load()


@pytest.mark.parametrize("dicts", [True, False])
def test_the_last_next_observation_is_the_final_state(tmp_path: Path, dicts: bool):
    loaded = load([path(3, dicts=dicts), path(2, 100.0, dicts=dicts)], tmp_path)
    assert loaded.states[:, 0].tolist() == [0, 1, 2, 100, 101]
    assert loaded.final_states[:, 0].tolist() == [3, 102]
    assert loaded.rewards is not None
    assert loaded.rewards.tolist() == [0, 1, 2, 0, 1]
    assert loaded.terminations is None


def left_out(paths: list[Any], folder: Path, **settings: Any) -> list[str]:
    load(paths, folder, **settings)
    config = AwacConfig(path=folder / "paths.npy", **settings)
    return [finding.text for finding in config.remarks()]


def test_vectors_that_are_not_read_are_named(tmp_path: Path):
    goals = [np.array([5.0, 6.0])] * 3
    of_dicts = path(3)
    of_dicts["observations"] = [row | {"goal": np.ones(2)} for row in of_dicts["observations"]]
    more = {"contacts": np.ones((3, 4)), "goals": goals, "times": np.arange(3.0), "label": "a"}
    (said,) = left_out([path(3), of_dicts | more], tmp_path)
    assert said.endswith("belong to the state: contacts, goals, observations['goal']")
    assert left_out([path(3) | more], tmp_path) == [said.replace(", observations['goal']", "")]


def test_the_same_state_under_two_names_is_none_that_is_left_out(tmp_path: Path):
    assert left_out([path(3), path(2)], tmp_path) == []
    assert left_out([{}, 3, path(2), {"actions": []}], tmp_path, exclude=(0, 1, 3)) == []


def test_a_terminal_path_terminates(tmp_path: Path):
    ended = path(3) | {"terminals": np.array([0.0, 0.0, 1.0])}
    assert load([path(2), ended], tmp_path).terminations.tolist() == [False, True]


class Runs:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_a_malicious_file_runs_nothing(tmp_path: Path):
    mark = tmp_path / "ran"
    with pytest.raises(DataError, match=r"refused.*mkdir") as caught:
        load([path(3) | {"rewards": Runs(mark)}], tmp_path)
    assert not mark.exists()
    assert "\n" not in str(caught.value)
    np.load(tmp_path / "paths.npy", allow_pickle=True)
    assert mark.exists(), "the file was malicious"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actions": [np.zeros(2)] * 2}, "has 3, 3, 2"),
        ({"actions": 3}, "must have a list 'actions'"),
        ({"actions": [np.zeros(2), np.zeros(2), np.zeros(3)]}, "vectors of one size"),
        ({"observations": [{"image": np.zeros(3)}] * 3}, "'observation' or 'state_observation'"),
        ({"observations": ["a", "b", "c"]}, "vectors of one size"),
        ({"rewards": np.zeros(7)}, "rewards have shape"),
        ({"rewards": "many"}, "rewards must be an array of numbers"),
    ],
)
def test_other_layouts_are_one_line_errors(tmp_path: Path, change: dict[str, Any], message: str):
    with pytest.raises(DataError, match=message) as caught:
        load([path(3) | change], tmp_path)
    assert "\n" not in str(caught.value)


def test_numbers_and_shapes_that_are_no_paths(tmp_path: Path):
    for array in (np.zeros(3), np.array([[path(2)]], object), np.empty(0, object)):
        np.save(tmp_path / "other.npy", array, allow_pickle=True)
        with pytest.raises(DataError):
            AwacConfig(path=tmp_path / "other.npy").load()
    with pytest.raises(DataError, match="must be a dict, not float"):
        load([1.0], tmp_path)


def test_a_small_file_does_not_become_a_large_set(tmp_path: Path):
    vector = np.zeros(1000)
    repeated = path(2) | {
        name: [vector] * 1000 for name in ("observations", "next_observations", "actions")
    }
    with pytest.raises(DataError, match="the same numbers for several"):
        load([repeated] * 1000, tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_truncated_files_are_never_read(data: st.DataObject):
    with tempfile.TemporaryDirectory() as folder:
        load([path(3), path(2)], Path(folder))
        file = Path(folder) / "paths.npy"
        whole = file.read_bytes()
        file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        with pytest.raises(DataError) as caught:
            AwacConfig(path=file).load()
    assert "\n" not in str(caught.value)


def test_the_pen_file_is_the_minari_set(data: Path):
    loaded = AwacConfig(path=data / "raw" / "pen2_sparse.npy").load()
    human = MinariConfig(id="pen/human-v0", root=data / "minari").load()
    assert loaded.summary()["episodes_with_success"] == 17
    for name in ("states", "actions", "final_states", "episode_lengths", "recorded_successes"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(human, name))
