"""Repairs of sets: what they refuse; what they do is in `tests/cli/test_advice.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations, NpzConfig
from nppac_envs.demonstrations.npz import NpzFields
from nppac_envs.demonstrations.repairs import cut, joined, without_repeats


@pytest.mark.parametrize("place", [(3, 0), (-1, 0), (0, 3), (1, -1)])
def test_a_cut_where_nothing_is_names_it(demonstrations: Demonstrations, place):
    """The episodes have 3, 1 and 4 steps."""
    with pytest.raises(DataError, match=f"no step {place[1]} in episode {place[0]}"):
        cut(demonstrations, [place])


def test_what_no_step_is_left_of_goes(demonstrations: Demonstrations):
    """A single step that led nowhere, and the first and the last one of an episode."""
    left = cut(demonstrations, [(1, 0), (2, 0), (2, 3)])
    assert left.episode_lengths.tolist() == [3, 2]
    assert left.states[:, 0].tolist() == [0, 1, 2, 5, 6]
    assert left.final_states[1, 0] == 7
    with pytest.raises(DataError, match="no step is left"):
        cut(demonstrations.select([1]), [(0, 0)])


@pytest.mark.parametrize("episodes", [[0], [3], [-1, 1]])
def test_only_an_episode_after_another_is_joined(demonstrations: Demonstrations, episodes):
    with pytest.raises(DataError, match="must be between 1 and 2"):
        joined(demonstrations, episodes)


def test_an_episode_in_one_state_keeps_a_step():
    still = Demonstrations(
        states=np.ones((4, 2)),
        actions=np.arange(4)[:, None] / 4,
        final_states=np.ones((2, 2)),
        episode_lengths=np.array([3, 1]),
    )
    left = without_repeats(still)
    assert left.episode_lengths.tolist() == [1, 1]
    assert left.actions[:, 0].tolist() == [0.5, 0.75]


def test_states_of_an_npz_file_in_several_arrays(tmp_path: Path):
    path = tmp_path / "set.npz"
    arrays = {"q": np.ones((6, 2)), "force": np.arange(6.0), "actions": np.zeros((6, 1))}
    np.savez(path, **arrays, episode_lengths=[3, 3], short=np.zeros(5))
    loaded = NpzConfig(path=path, fields=NpzFields(states="force, q")).load()
    assert loaded.states.tolist() == [[i, 1, 1] for i in (0, 1, 3, 4)]
    with pytest.raises(DataError, match=r"has no array 'effort' \(states\)"):
        NpzConfig(path=path, fields=NpzFields(states="q,effort")).load()
    with pytest.raises(DataError, match=r"do not fit side by side: q \(6, 2\), short \(5,\)"):
        NpzConfig(path=path, fields=NpzFields(states="q,short")).load()
