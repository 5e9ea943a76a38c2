from __future__ import annotations

import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations
from nppac_envs.demonstrations.operations import (
    concatenate,
    episode_successes,
    sample,
    successful,
)


@pytest.fixture
def flagged(make_arrays) -> Demonstrations:
    """Episodes of 3, 1 and 4 steps; the first and the last succeed."""
    flags = np.array([0, 1, 0, 0, 0, 0, 0, 1], bool)
    return Demonstrations(**make_arrays() | {"successes": flags})


def test_successful_episodes_stay(flagged: Demonstrations):
    assert episode_successes(flagged).tolist() == [True, False, True]
    kept = successful(flagged)
    assert kept.episode_lengths.tolist() == [3, 4]
    assert kept.states[:, 0].tolist() == [0, 1, 2, 4, 5, 6, 7]


def test_without_success_there_is_nothing_to_choose_by(make_arrays):
    arrays = make_arrays()
    del arrays["successes"]
    with pytest.raises(DataError, match="decide success by a task's rule"):
        successful(Demonstrations(**arrays))
    with pytest.raises(DataError, match="none of the 3 episodes"):
        successful(Demonstrations(**arrays, successes=np.zeros(8, bool)))


def test_a_sample_is_drawn_without_replacement(make_arrays):
    demos = Demonstrations(**make_arrays(lengths=(1, 2, 3, 4, 5)))
    for seed in range(5):
        drawn = sample(demos, 3, np.random.default_rng(seed))
        lengths = drawn.episode_lengths.tolist()
        assert sorted(set(lengths)) == lengths
        assert drawn.hash == sample(demos, 3, np.random.default_rng(seed)).hash
    assert sample(demos, 5, np.random.default_rng(0)).hash == demos.hash
    with pytest.raises(DataError, match="cannot draw 6 episodes; there are 5"):
        sample(demos, 6, np.random.default_rng(0))


def test_concatenation_undoes_a_split(flagged: Demonstrations):
    first, second = flagged.select([0, 1]), flagged.select([2])
    assert concatenate([first, second]).hash == flagged.hash


def test_concatenation_keeps_what_all_sets_have(make_arrays):
    arrays = make_arrays()
    ended = Demonstrations(**arrays, terminations=np.array([True, False, False]))
    plain = {name: array for name, array in arrays.items() if name != "rewards"}
    both = concatenate([Demonstrations(**plain), ended])
    assert both.rewards is None
    assert both.successes is not None
    assert both.terminations.tolist() == [False] * 3 + [True, False, False]


def test_sets_of_different_tasks_are_not_mixed(flagged: Demonstrations, make_arrays):
    arrays = make_arrays()
    other = Demonstrations(**arrays | {"actions": arrays["actions"][:, :1]}, source="other")
    with pytest.raises(DataError, match=r"other has .* \(5, 1\), but arrays has \(5, 2\)"):
        concatenate([flagged, other])
    with pytest.raises(DataError, match="no sets"):
        concatenate([])


def test_selecting_what_is_not_there(flagged: Demonstrations):
    for wrong in ([], [3], [-1]):
        with pytest.raises(DataError, match="episodes must be between 0 and 2"):
            flagged.select(wrong)
