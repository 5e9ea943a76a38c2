from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations, NpzConfig


def per_episode(demos: Demonstrations) -> list[tuple[bytes, ...]]:
    """Each episode's content as bytes, by a plain loop."""
    episodes, start = [], 0
    for episode, length in enumerate(demos.episode_lengths):
        steps = slice(start, start + length)
        arrays = (demos.states[steps], demos.actions[steps], demos.final_states[episode])
        known = [a[steps] for a in (demos.rewards, demos.successes) if a is not None]
        episodes.append(tuple(array.tobytes() for array in (*arrays, *known)))
        start += length
    return episodes


def test_types_and_sizes(demonstrations: Demonstrations):
    types = {name: array.dtype.name for name, array in demonstrations.arrays().items()}
    assert types == {
        "states": "float32",
        "actions": "float32",
        "final_states": "float32",
        "episode_lengths": "int64",
        "rewards": "float32",
        "successes": "bool",
    }
    sizes = (demonstrations.state_dim, demonstrations.action_dim, demonstrations.n_episodes)
    assert (*sizes, len(demonstrations)) == (5, 2, 3, 8)


def test_it_shows_itself_in_a_line(demonstrations: Demonstrations):
    source = demonstrations.source
    line = f"{source}, 3 episodes, 8 steps, {demonstrations.summary()['episodes_with_success']} "
    assert str(demonstrations) == f"{line}successful"
    assert repr(demonstrations) == f"<Demonstrations {demonstrations}>"
    clipped = dataclasses.replace(demonstrations, successes=None, rewards=None, n_clipped=2)
    assert str(clipped).endswith("8 steps, 2 action entries clipped to [-1, 1]")


def test_take_keeps_the_first_episodes(demonstrations: Demonstrations):
    assert per_episode(demonstrations.take(2)) == per_episode(demonstrations)[:2]
    for wrong in (0, 4, -1):
        with pytest.raises(DataError, match=f"cannot take {wrong} episodes; there are 3"):
            demonstrations.take(wrong)


def test_split_divides_by_episode(demonstrations: Demonstrations):
    train, test = demonstrations.split([1])
    whole = per_episode(demonstrations)
    assert per_episode(train) == [whole[0], whole[2]]
    assert per_episode(test) == [whole[1]]


@pytest.mark.parametrize("wrong", [[], [0, 1, 2], [3], [-1], [1, 1]])
def test_impossible_splits_are_refused(demonstrations: Demonstrations, wrong: list[int]):
    with pytest.raises(DataError, match="test episodes must be"):
        demonstrations.split(wrong)


def test_folds_test_each_episode_once(make_arrays):
    demos = Demonstrations(**make_arrays(lengths=(2, 3, 1, 4, 2)))
    folds = demos.folds(3, np.random.default_rng(0))
    whole = sorted(per_episode(demos))
    assert sorted(episode for _, test in folds for episode in per_episode(test)) == whole
    for train, test in folds:
        assert sorted(per_episode(train) + per_episode(test)) == whole
    again = demos.folds(3, np.random.default_rng(0))
    assert [test.hash for _, test in again] == [test.hash for _, test in folds]
    for wrong in (1, 6):
        with pytest.raises(DataError, match="between 2 and 5"):
            demos.folds(wrong, np.random.default_rng(0))


def test_transitions_do_not_cross_episodes(demonstrations: Demonstrations):
    rows = demonstrations.transitions()
    start = 0
    for episode, length in enumerate(demonstrations.episode_lengths):
        following = [*demonstrations.states[start + 1 : start + length]]
        following.append(demonstrations.final_states[episode])
        np.testing.assert_array_equal(rows["next_states"][start : start + length], following)
        ends = rows["episode_ends"][start : start + length].tolist()
        assert ends == [False] * (length - 1) + [True]
        start += length
    assert not rows["terminals"].any()
    np.testing.assert_array_equal(rows["rewards"], demonstrations.rewards)


def test_terminations_become_terminals(make_arrays):
    demos = Demonstrations(**make_arrays(), terminations=np.array([True, False, True]))
    assert np.flatnonzero(demos.transitions()["terminals"]).tolist() == [2, 7]
    assert demos.split([0])[0].terminations.tolist() == [False, True]


def test_unknown_rewards_and_successes_are_left_out(make_arrays):
    arrays = make_arrays()
    del arrays["rewards"], arrays["successes"]
    demos = Demonstrations(**arrays)
    assert not {"rewards", "successes"} & (demos.transitions().keys() | demos.arrays().keys())
    assert demos.take(1).rewards is None
    assert demos.summary()["episodes_with_success"] is None
    assert demos.summary()["return_mean"] is None


def test_hash_covers_content_and_nothing_else(make_arrays):
    arrays = make_arrays()
    base = Demonstrations(**arrays)
    assert base.hash == Demonstrations(**arrays, source="elsewhere", n_clipped=3).hash
    assert len(base.hash) == hashlib.sha256().digest_size * 2
    seen = {base.hash}
    for name in arrays:
        changed = {key: value.copy() for key, value in arrays.items()}
        if name == "episode_lengths":
            changed[name] = np.array([4, 1, 3])
        else:
            changed[name][-1] = 0 if name != "successes" else not arrays[name][-1]
        seen.add(Demonstrations(**changed).hash)
    assert len(seen) == len(arrays) + 1


def test_save_and_load(demonstrations: Demonstrations, tmp_path: Path):
    path = tmp_path / "set.npz"
    path.write_bytes(b"something older")
    demonstrations.save_npz(path)
    loaded = NpzConfig(path=path).load()
    assert loaded.hash == demonstrations.hash
    assert [entry.name for entry in tmp_path.iterdir()] == ["set.npz"]


def test_summary_counts(make_arrays):
    arrays = make_arrays(lengths=(3, 1, 4))
    arrays["successes"] = np.array([0, 1, 0, 0, 1, 1, 0, 0], bool)
    arrays["rewards"] = np.ones(8)
    summary = Demonstrations(**arrays, source="here").summary()
    assert summary["episodes"] == 3
    assert summary["steps"] == 8
    assert (summary["length_min"], summary["length_max"]) == (1, 4)
    assert summary["episodes_with_success"] == 2
    assert summary["return_mean"] == pytest.approx(8 / 3)
    assert summary["state_max"][0] == 7.0
    assert len(summary["action_min"]) == 2
