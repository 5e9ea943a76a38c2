"""Recordings know what their actions stand for, and are used where that is possible."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nppac_envs import (
    D4rlConfig,
    DataError,
    Demonstrations,
    LerobotConfig,
    MinariConfig,
    NpzConfig,
    RobomimicConfig,
)
from nppac_envs.demonstrations.action_map import with_bounds_of
from nppac_envs.demonstrations.lerobot_writer import write_lerobot
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.operations import concatenate
from nppac_envs.demonstrations.robomimic_writer import write_robomimic

BOUNDS = np.array([[-3.0, 0.0], [5.0, 2.0]])


@pytest.fixture
def torques(demonstrations: Demonstrations) -> Demonstrations:
    """Actions of two joints, of -3 to 5 and 0 to 2 newton metres."""
    return replace(demonstrations, action_bounds=BOUNDS)


def physical(demonstrations: Demonstrations, bounds: np.ndarray) -> np.ndarray:
    return bounds[0] + (demonstrations.actions + 1) / 2 * (bounds[1] - bounds[0])


def test_wider_bounds_get_the_same_torques_and_count_what_changed(torques):
    wider = np.array([[-6.0, -2.0], [10.0, 4.0]])
    mapped = with_bounds_of(torques, wider, "'arm'")
    np.testing.assert_allclose(physical(mapped, wider), physical(torques, BOUNDS), atol=1e-6)
    assert mapped.n_rescaled == (mapped.actions != torques.actions).sum() > 0
    np.testing.assert_array_equal(mapped.action_bounds, wider)


def test_the_same_bounds_and_unknown_ones_change_nothing(demonstrations, torques):
    assert with_bounds_of(torques, BOUNDS * (1 + 1e-9), "'arm'") is torques
    assert with_bounds_of(demonstrations, BOUNDS, "'arm'") is demonstrations


@pytest.mark.parametrize("bounds", [None, BOUNDS / 10])
def test_torques_beyond_the_environments_bounds_are_refused_with_both(torques, bounds):
    with pytest.raises(DataError) as caught:
        with_bounds_of(torques, bounds, "'arm'")
    said = str(caught.value)
    assert "-1 and 1 stand for (-3, 0) and (5, 2), those of 'arm' for" in said
    assert "action entries are outside these" in said
    assert "--action-range -1 1" in caught.value.in_options()


def test_another_number_of_dimensions_is_refused(torques):
    with pytest.raises(DataError, match="those of 'arm' for"):
        with_bounds_of(torques, BOUNDS[:, :1], "'arm'")


def test_parts_keep_the_bounds_and_the_hash_tells_sets_of_other_bounds_apart(
    demonstrations, torques
):
    np.testing.assert_array_equal(torques.select([2, 0]).action_bounds, BOUNDS)
    np.testing.assert_array_equal(
        concatenate([demonstrations, torques]).actions[:8], torques.actions
    )
    assert concatenate([demonstrations, torques]).action_bounds is None
    np.testing.assert_array_equal(concatenate([torques, torques]).action_bounds, BOUNDS)
    assert len({s.hash for s in (demonstrations, torques)}) == 2
    with pytest.raises(DataError, match="record them in one environment"):
        concatenate([torques, replace(torques, action_bounds=2 * BOUNDS)])


@pytest.mark.parametrize("bounds", [BOUNDS[:, :1], BOUNDS[::-1], BOUNDS * np.nan])
def test_bounds_that_are_none_are_refused(demonstrations, bounds):
    with pytest.raises(DataError, match="action_bounds"):
        replace(demonstrations, action_bounds=bounds)


def test_npz_files_keep_them_until_the_range_is_given_anew(torques, tmp_path: Path):
    torques.save_npz(tmp_path / "arm.npz")
    config = NpzConfig(path=tmp_path / "arm.npz")
    assert config.load().hash == torques.hash
    assert config.model_copy(update={"exclude": (1,)}).load().action_bounds is not None
    assert config.model_copy(update={"action_range": (-1, 1)}).load().action_bounds is None


def test_flat_hdf5_files_keep_them(torques, tmp_path: Path):
    rows: dict[str, Any] = torques.transitions()
    with h5py.File(tmp_path / "arm.hdf5", "w") as file:
        file["observations"], file["actions"] = rows["states"], rows["actions"]
        file["timeouts"], file["next_observations"] = rows["episode_ends"], rows["next_states"]
        file["action_bounds"] = BOUNDS
    loaded = D4rlConfig(path=tmp_path / "arm.hdf5").load()
    np.testing.assert_array_equal(loaded.action_bounds, BOUNDS)
    np.testing.assert_array_equal(loaded.actions, torques.actions)


def test_minari_sets_keep_them(torques, tmp_path: Path):
    write_minari(torques, "arm/mine-v0", tmp_path)
    assert MinariConfig(id="arm/mine-v0", root=tmp_path).load().hash == torques.hash


# The range that somebody gave.


def degrees(demonstrations: Demonstrations, path: Path, *action_range: Any) -> Demonstrations:
    """A set whose file has angles from -90 to 90 and lengths from 0 to 4."""
    low, high = np.array([[-90.0, 0.0], [90.0, 4.0]])
    stored = demonstrations.arrays()
    stored["actions"] = low + (demonstrations.actions + 1) / 2 * (high - low)
    np.savez(path, **stored)
    return NpzConfig(path=path, action_range=action_range or ([-90, 0], [90, 4])).load()


RANGE = np.array([[-90.0, 0.0], [90.0, 4.0]])


def test_the_range_that_actions_are_mapped_from_is_kept_and_no_part_of_the_hash(
    demonstrations, tmp_path: Path
):
    mapped = degrees(demonstrations, tmp_path / "raw.npz")
    np.testing.assert_array_equal(mapped.source_range, RANGE)
    assert mapped.action_bounds is None
    assert mapped.hash == replace(mapped, source_range=None).hash
    assert mapped.summary()["source_range"] == RANGE.tolist()
    np.testing.assert_array_equal(mapped.take(2).source_range, RANGE)


def test_numbers_that_are_taken_as_they_are_come_from_no_known_range(demonstrations, tmp_path):
    assert demonstrations.summary()["source_range"] is None
    demonstrations.save_npz(tmp_path / "set.npz")
    config = NpzConfig(path=tmp_path / "set.npz", action_range=(-1, [1, 1]))
    assert config.load().source_range is None


def test_a_set_that_is_mapped_twice_comes_from_the_first_files_numbers(demonstrations, tmp_path):
    degrees(demonstrations, tmp_path / "raw.npz", [-180, -1], [180, 7]).save_npz(
        tmp_path / "wrong.npz"
    )
    again = NpzConfig(path=tmp_path / "wrong.npz", action_range=([-0.5, -0.75], [0.5, 0.25])).load()
    np.testing.assert_allclose(again.source_range, RANGE)
    np.testing.assert_allclose(again.actions, demonstrations.actions, atol=1e-5)
    kept = NpzConfig(path=tmp_path / "wrong.npz", action_range=(-1, 1)).load()
    np.testing.assert_array_equal(kept.source_range, [[-180, -1], [180, 7]])


@pytest.mark.parametrize("layout", ["npz", "hdf5", "minari", "lerobot", "without final states"])
def test_every_format_keeps_it(demonstrations, tmp_path: Path, layout):
    mapped = degrees(replace(demonstrations, rewards=None), tmp_path / "raw.npz")
    path = tmp_path / "set"
    if layout == "npz":
        mapped.save_npz(path)
        loaded = NpzConfig(path=path).load()
    elif layout == "hdf5":
        write_robomimic(mapped, path)
        loaded = RobomimicConfig(path=path).load()
    elif layout == "minari":
        pytest.importorskip("minari")
        write_minari(mapped, "arm/mine-v0", path)
        loaded = MinariConfig(id="arm/mine-v0", root=path).load()
    elif layout == "lerobot":
        pytest.importorskip("pyarrow")
        write_lerobot(mapped, path)
        loaded = LerobotConfig(path=path).load()
    else:
        arrays = mapped.select([0, 2]).arrays() | {"action_bounds": BOUNDS}
        del arrays["final_states"]
        np.savez(path.with_suffix(".npz"), **arrays)
        loaded = NpzConfig(path=path.with_suffix(".npz")).load()
        np.testing.assert_array_equal(loaded.action_bounds, BOUNDS)
    np.testing.assert_array_equal(loaded.source_range, RANGE)
    if layout != "without final states":
        np.testing.assert_array_equal(loaded.actions, mapped.actions)


def test_sets_of_one_range_have_it_together_and_others_none(demonstrations, tmp_path):
    mapped = degrees(demonstrations, tmp_path / "raw.npz")
    other = replace(mapped, source_range=2 * RANGE)
    np.testing.assert_array_equal(concatenate([mapped, mapped]).source_range, RANGE)
    assert concatenate([mapped, other]).source_range is None
    assert concatenate([demonstrations, mapped]).source_range is None


@pytest.mark.parametrize("bounds", [RANGE[:, :1], RANGE[::-1], RANGE + np.inf])
def test_ranges_that_are_none_are_refused(demonstrations, bounds):
    with pytest.raises(DataError, match="source_range"):
        replace(demonstrations, source_range=bounds)


def test_another_range_than_the_environments_is_told_in_a_line(demonstrations, tmp_path, caplog):
    mapped = degrees(demonstrations, tmp_path / "raw.npz")
    with caplog.at_level(logging.WARNING):
        assert with_bounds_of(mapped, None, "'arm'") is mapped, "its own units are [-1, 1]"
        assert with_bounds_of(mapped, RANGE * (1 + 1e-9), "'arm'") is mapped
        assert not caplog.records
        assert with_bounds_of(mapped, BOUNDS, "'arm'") is mapped
    (record,) = caplog.records
    assert "mapped onto [-1, 1] from (-90, 0) and (90, 4), and in 'arm' -1 and 1 stand for" in (
        record.getMessage()
    )
    assert "\n" not in record.getMessage()
