from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nppac_priors.errors import DataError
from nppac_priors.health.visited import MOST, read_visited, visited


def test_states_near_the_demonstrations_are_left_out():
    std = np.concatenate([np.full(50, 9.0), np.full(15, 0.1), np.full(15, 0.4)])
    distance = np.concatenate([np.zeros(50), np.full(30, 2.0)])
    found = visited(std, distance, off_data_from=1.0, on_median=0.2)
    assert (found.states, found.off_data) == (80, 30 / 80)
    assert (found.median_std, found.growth_ratio) == (0.25, 1.25)
    assert found.collapse_score == 0.5


def test_the_states_of_any_npz_file_are_read_and_many_are_thinned_out(tmp_path: Path):
    states = np.arange(2 * 3 * MOST, dtype=float).reshape(-1, 3)
    np.savez(tmp_path / "went.npz", states=states, actions=np.zeros(3))
    read = read_visited(tmp_path / "went.npz", 3)
    assert len(read) == MOST
    np.testing.assert_array_equal(read[[0, -1]], states[[0, -1]].astype(np.float32))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"observations": np.zeros((2, 3))}, "has no array 'states'"),
        ({"states": np.zeros((2, 4))}, "of the same task"),
        ({"states": np.full((2, 3), np.nan)}, "finite"),
        ({"states": np.zeros((0, 3))}, "must be some"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, arrays, words):
    np.savez(tmp_path / "went.npz", **arrays)
    with pytest.raises(DataError, match=words):
        read_visited(tmp_path / "went.npz", 3)
