from __future__ import annotations

import pickle
import subprocess
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nppac_envs import DapgConfig, DataError, MinariConfig
from nppac_envs.errors import EpisodesError


def demo(steps: int, offset: float = 0.0) -> dict[str, Any]:
    return {
        "observations": offset + np.arange(3.0 * steps).reshape(steps, 3),
        "actions": np.full((steps, 2), 1.2),
        "rewards": np.arange(float(steps)),
        "init_state_dict": {"qpos": np.zeros(4)},
    }


def load(content: Any, folder: Path, **settings: Any):
    path = folder / "demos.pickle"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
    return DapgConfig(path=path, **settings).load()


def test_the_last_observation_is_the_final_state(tmp_path: Path):
    loaded = load([demo(3), demo(2, 100.0)], tmp_path)
    assert loaded.states[:, 0].tolist() == [0, 3, 100]
    assert loaded.final_states[:, 0].tolist() == [6, 103]
    assert loaded.episode_lengths.tolist() == [2, 1]
    assert loaded.rewards is not None
    assert loaded.rewards.tolist() == [0, 1, 0]
    assert loaded.successes is None


def test_it_always_clips(tmp_path: Path):
    loaded = load([demo(3)], tmp_path)
    assert loaded.n_clipped == 4
    assert (loaded.actions == 1.0).all()


class Runs:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return subprocess.call, (["touch", str(self.path)],)


@pytest.mark.parametrize("protocol", range(6))
def test_a_malicious_pickle_runs_nothing(tmp_path: Path, protocol: int):
    mark = tmp_path / "ran"
    raw = pickle.dumps([demo(3) | {"rewards": Runs(mark)}, Runs(mark)], protocol)
    with pytest.raises(DataError, match="refused") as caught:
        load(raw, tmp_path)
    assert not mark.exists()
    assert "\n" not in str(caught.value)
    pickle.loads(raw)
    assert mark.exists(), "the pickle was malicious"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "must be a list of demonstrations"),
        ({"observations": np.zeros((2, 3))}, "must be a list of demonstrations, not dict"),
        ([1], "demonstration 0: must be a dict, not int"),
        ([demo(3), {"actions": np.zeros((2, 2))}], "demonstration 1: must have .*'observations'"),
        ([demo(3) | {"actions": ["a"]}], "must have an array 'actions', or a list of"),
        ([demo(3) | {"rewards": None}], "must have an array 'rewards'"),
        ([demo(3) | {"rewards": np.zeros(2)}], "rewards have shape"),
        ([demo(1)], "two or more; has 1 and 1"),
        ([demo(3) | {"actions": np.zeros((2, 2))}], "has 3 and 2"),
        ([demo(3) | {"observations": np.zeros((3, 2, 2))}], "observations have shape"),
        ([demo(3), demo(3) | {"actions": np.zeros((3, 5))}], r"episode 1: has \(3, 5\) state and"),
        ([demo(3) | {"observations": np.full((3, 3), np.nan)}], "episode 0, step 0"),
    ],
)
def test_other_layouts_are_one_line_errors(content: Any, message: str, tmp_path: Path):
    with pytest.raises(DataError, match=message) as caught:
        load(content, tmp_path)
    assert "\n" not in str(caught.value)


def test_one_array_in_many_demonstrations_is_refused(tmp_path: Path):
    """A small file must not become a large set."""
    with pytest.raises(DataError, match="the same numbers for several"):
        load([demo(200)] * 1000, tmp_path)


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(DataError, match="no such file"):
        DapgConfig(path=tmp_path / "none.pickle").load()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_truncated_pickles_are_never_read(data: st.DataObject):
    whole = pickle.dumps([demo(3), demo(2)])
    with tempfile.TemporaryDirectory() as folder, pytest.raises(DataError) as caught:
        load(whole[: data.draw(st.integers(0, len(whole) - 1))], Path(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.medium
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_changed_pickles_load_or_are_typed_errors(data: st.DataObject):
    content = bytearray(pickle.dumps([demo(3), demo(2)]))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    message = ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            assert np.isfinite(load(bytes(content), Path(folder)).states).all()
        except DataError as error:
            message = str(error)
    assert "\n" not in message


def test_the_door_pickle_is_the_minari_set(data: Path):
    loaded = DapgConfig(path=data / "raw" / "door-v0_demos.pickle").load()
    human = MinariConfig(id="door/human-v0", root=data / "minari").load()
    assert (loaded.n_episodes, len(loaded)) == (25, 6729 - 25)
    assert loaded.n_clipped == 10_562
    for name in ("states", "actions", "final_states", "episode_lengths"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(human, name))


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_every_protocol_and_of_plain_containers(tmp_path: Path, protocol: int):
    """Old protocols write bytes as text; demonstrations may be a dict, their rows a list."""
    demos = [demo(3), demo(2, 100.0)]
    expected = load(demos, tmp_path).hash
    lists = [d | {"observations": list(d["observations"])} for d in demos]
    for content in (
        demos,
        [OrderedDict(d) for d in demos],
        dict(enumerate(demos)),
        lists,
        [d | {"actions": d["actions"].tolist()} for d in demos],
    ):
        assert load(pickle.dumps(content, protocol), tmp_path).hash == expected


def test_one_bad_demonstration_does_not_cost_the_set(tmp_path: Path):
    demos = [demo(3), demo(1), demo(2, 100.0), {"actions": np.zeros((2, 2))}]
    with pytest.raises(EpisodesError, match="demonstration 1: needs as many") as caught:
        load(demos, tmp_path)
    assert caught.value.in_options().endswith("--exclude 1,3")
    assert load(demos, tmp_path, exclude=(1, 3)).states[:, 0].tolist() == [0, 3, 100]


def test_what_looks_like_state_and_is_left_out_is_named(tmp_path: Path):
    """A vector for each observation; one number, or a part of one demonstration, is none."""
    more = {"goals": np.zeros((3, 2)), "env_infos": {"x": np.zeros(3)}, "times": np.arange(3.0)}
    path = tmp_path / "demos.pickle"
    path.write_bytes(pickle.dumps([demo(3) | more, demo(2)]))
    (finding,) = DapgConfig(path=path).remarks()
    assert finding.topic == "left out"
    assert finding.text == "not read, though it may belong to the state: goals"
    path.write_bytes(pickle.dumps([demo(3)]))
    assert DapgConfig(path=path).remarks() == []
