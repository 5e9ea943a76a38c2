from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nppac_envs import DataError, Demonstrations, NpzConfig
from pydantic import ValidationError

NAMES = ("states", "actions", "final_states", "episode_lengths", "rewards", "successes")


def test_a_field_map_renames(make_arrays, tmp_path: Path):
    arrays = make_arrays()
    renamed = {"obs" if name == "states" else name: array for name, array in arrays.items()}
    np.savez(tmp_path / "set.npz", **renamed)
    loaded = NpzConfig.model_validate({"path": tmp_path / "set.npz", "fields": {"states": "obs"}})
    assert loaded.load().hash == Demonstrations(**arrays).hash
    with pytest.raises(DataError, match=r"has no array 'o' \(states\); it has obs \(8, 5\), "):
        NpzConfig.model_validate({"path": tmp_path / "set.npz", "fields": {"states": "o"}}).load()
    with pytest.raises(ValidationError):
        NpzConfig.model_validate({"path": "set.npz", "fields": {"state": "obs"}})


def test_optional_arrays_may_be_missing_unless_they_are_renamed(make_arrays, tmp_path: Path):
    arrays = make_arrays()
    del arrays["rewards"], arrays["successes"]
    np.savez(tmp_path / "set.npz", **arrays)
    config = NpzConfig(path=tmp_path / "set.npz")
    assert NpzConfig.model_validate_json(config.model_dump_json()).load().rewards is None
    config = NpzConfig.model_validate({"path": config.path, "fields": {"rewards": "r"}})
    with pytest.raises(DataError, match=r"has no array 'r' \(rewards\)"):
        config.load()


def test_headers_tell_the_dimensions(make_arrays, tmp_path: Path):
    arrays = make_arrays()
    states = arrays.pop("states")
    np.savez(tmp_path / "set.npz", q=states[:, :2], v=states[:, 2], **arrays)
    config = NpzConfig.model_validate({"path": tmp_path / "set.npz", "fields": {"states": "q,v"}})
    assert config.dimensions() == (3, arrays["actions"].shape[1])
    for other in ({"path": tmp_path / "set.npz"}, {"path": tmp_path / "another.npz"}):
        assert NpzConfig.model_validate(other).dimensions() is None


def test_without_final_states_the_last_step_is_used_up(make_arrays, tmp_path: Path):
    arrays = make_arrays(lengths=(3, 2))
    del arrays["final_states"]
    np.savez(tmp_path / "set.npz", **arrays, terminations=np.array([True, False]))
    loaded = NpzConfig(path=tmp_path / "set.npz").load()
    assert loaded.episode_lengths.tolist() == [2, 1]
    np.testing.assert_array_equal(loaded.states, arrays["states"][[0, 1, 3]])
    np.testing.assert_array_equal(loaded.actions, arrays["actions"][[0, 1, 3]])
    np.testing.assert_array_equal(loaded.final_states, arrays["states"][[2, 4]])
    np.testing.assert_array_equal(loaded.rewards, arrays["rewards"][[0, 1, 3]])
    assert not loaded.transitions()["terminals"].any(), "the action that ended it is gone"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"episode_lengths": np.array([4, 1])}, "two steps or more"),
        ({"rewards": np.zeros(4)}, "rewards has shape"),
        ({"actions": np.zeros((4, 2))}, "actions has shape"),
        ({"states": np.float64(3)}, "episode_lengths"),
    ],
)
def test_without_final_states_shapes_are_still_checked(make_arrays, tmp_path, change, message):
    arrays = make_arrays(lengths=(3, 2)) | change
    del arrays["final_states"]
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(DataError, match=message):
        NpzConfig(path=tmp_path / "set.npz").load()


def test_flags_must_be_flags(make_arrays, tmp_path: Path):
    np.savez(tmp_path / "set.npz", **(make_arrays() | {"successes": np.full(8, 0.5)}))
    with pytest.raises(DataError, match=r"'successes' .* must hold true and false"):
        NpzConfig(path=tmp_path / "set.npz").load()


def test_missing_lengths_say_what_one_episode_is(make_arrays, tmp_path: Path):
    arrays = make_arrays()
    del arrays["episode_lengths"]
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(DataError, match=r"one episode is \[N\]"):
        NpzConfig(path=tmp_path / "set.npz").load()


def wrong_type(array: np.ndarray) -> np.ndarray:
    return array.astype("S4") if array.dtype.kind != "i" else array.astype(float)


def ragged(array: np.ndarray) -> np.ndarray:
    return array[:-1]


def empty(array: np.ndarray) -> np.ndarray:
    return array[:0]


def flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, 1, 1)


def with_nan(array: np.ndarray) -> np.ndarray:
    changed = array.astype(np.float64)
    changed.flat[changed.size // 2] = np.nan
    return changed


@pytest.mark.medium
@settings(max_examples=120, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    damage=st.sampled_from([wrong_type, ragged, empty, flat, with_nan]),
    lengths=st.lists(st.integers(2, 5), min_size=1, max_size=4),
    clip=st.booleans(),
)
def test_damaged_arrays_are_one_line_errors(make_arrays, name, damage, lengths, clip):
    arrays = make_arrays(lengths=tuple(lengths))
    arrays[name] = damage(arrays[name])
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "set.npz", **arrays)
        with pytest.raises(DataError) as caught:
            NpzConfig(path=Path(folder) / "set.npz", clip=clip).load()
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(kept=st.sets(st.sampled_from(NAMES)), numbers=st.lists(st.integers(-(2**62), 2**62)))
def test_any_lengths_and_missing_arrays_are_typed(make_arrays, kept, numbers):
    arrays = make_arrays() | {"episode_lengths": np.array(numbers, np.int64)}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "set.npz", **{name: arrays[name] for name in sorted(kept)})
        with pytest.raises(DataError) as caught:
            NpzConfig(path=Path(folder) / "set.npz").load()
    assert "\n" not in str(caught.value)
