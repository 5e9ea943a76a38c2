from __future__ import annotations

import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from nppac_priors.episodes import Episodes, read_episodes
from nppac_priors.errors import DataError

LENGTHS = np.array([3, 1, 4, 2])


def episodes_of(lengths):
    """States count the steps; the first action says which episode they are of."""
    total = int(np.sum(lengths))
    states = np.arange(2 * total, dtype=np.float32).reshape(total, 2)
    number = np.repeat(np.arange(len(lengths)), lengths) / 100
    return Episodes(states, np.stack([number, -number], axis=1), np.asarray(lengths))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_take_keeps_whole_episodes_in_the_order_asked_for():
    taken = episodes_of(LENGTHS).take(np.array([2, 0]))
    assert taken.episode_lengths.tolist() == [4, 3]
    assert taken.states[:, 0].tolist() == [8, 10, 12, 14, 0, 2, 4]
    np.testing.assert_allclose(taken.actions[:, 0], [0.02] * 4 + [0] * 3)


@pytest.mark.parametrize(
    ("share", "episodes", "held_out"), [(0.2, 25, 5), (0.2, 4, 1), (0.01, 3, 1), (0.99, 3, 2)]
)
def test_hold_out_splits_by_episode(share, episodes, held_out):
    everything = episodes_of(np.arange(episodes) % 3 + 1)
    split = everything.hold_out(share, generator())
    assert len(split.held_out.episode_lengths) == held_out == len(split.held_out_indices)
    numbers = [set(part.actions[:, 0].tolist()) for part in (split.fitted, split.held_out)]
    assert numbers[0].isdisjoint(numbers[1])
    assert len(split.fitted) + len(split.held_out) == len(everything)
    expected = {np.float32(index / 100).item() for index in split.held_out_indices}
    assert numbers[1] == expected


def test_hold_out_follows_its_generator():
    everything = episodes_of([2] * 20)
    first, again, other = (
        everything.hold_out(0.3, generator(seed)).held_out_indices for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("lengths", "share", "message"),
    [([5], 0.2, "one episode only"), ([2, 3], 0.0, "between 0 and 1"), ([2, 3], 1.0, "between")],
)
def test_hold_out_refuses_what_cannot_be_split(lengths, share, message):
    with pytest.raises(DataError, match=message):
        episodes_of(lengths).hold_out(share, generator())


def test_the_hash_is_that_of_a_fitted_prior(linear_config):
    everything = episodes_of(LENGTHS)
    prior = linear_config().fit(everything.states, everything.actions)
    assert everything.data_hash == prior.data_hash
    assert everything.take(np.array([1, 0, 2, 3])).data_hash != prior.data_hash


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([[3, 2]], "shape"),
        ([2.5, 2.5], "whole numbers"),
        ([3, 1], "sum to the 5 steps"),
        ([6, -1], "positive"),
        ([], "whole numbers"),
    ],
)
def test_lengths_have_to_fit(lengths, message):
    with pytest.raises(DataError, match=message):
        Episodes(np.zeros((5, 1)), np.zeros((5, 1)), np.array(lengths))


def test_a_file_is_read_and_its_other_arrays_left_alone(tmp_path):
    made = episodes_of(LENGTHS)
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **vars(made), final_states=np.zeros((4, 2)), notes=np.array("hello"))
    read = read_episodes(path)
    for name, values in vars(made).items():
        np.testing.assert_array_equal(getattr(read, name), values)


def test_a_file_of_nppac_envs_is_read(tmp_path):
    envs = pytest.importorskip("nppac_envs")
    path = tmp_path / "theirs.npz"
    states = np.arange(10, dtype=np.float32).reshape(5, 2)
    envs.Demonstrations(
        states=states,
        actions=states / 10,
        final_states=np.zeros((2, 2), np.float32),
        episode_lengths=np.array([3, 2]),
        rewards=np.ones(5, np.float32),
    ).save_npz(path)
    read = read_episodes(path)
    np.testing.assert_array_equal(read.states, states)
    assert read.episode_lengths.tolist() == [3, 2]


def _no_file(path):
    pass


def _not_npz(path):
    path.write_bytes(b"states, actions")


def _truncated(path):
    np.savez(path, **vars(episodes_of(LENGTHS)))
    path.write_bytes(path.read_bytes()[:-80])


def _pickled(path):
    np.savez(path, states=np.array([{}, 1]), actions=np.zeros((2, 1)), episode_lengths=[2])


def _npy_of_gigabytes(path):
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (2**29,)}
        np.lib.format.write_array_header_1_0(file, header)


def _folder(path):
    path.mkdir()


def _npz_of_gigabytes(path):
    _npy_of_gigabytes(path)
    header = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("states", "actions", "episode_lengths"):
            archive.writestr(f"{name}.npy", header)


def _zeros(path):
    many = np.zeros((2**20, 40), np.int8)
    np.savez_compressed(path, states=many, actions=many, episode_lengths=[2**20])


def _without_lengths(path):
    np.savez(path, states=np.zeros((2, 1)), actions=np.zeros((2, 1)))


def _wide_actions(path):
    np.savez(path, states=np.zeros((2, 1)), actions=np.full((2, 1), 1.5), episode_lengths=[2])


def _nan(path):
    np.savez(path, states=np.full((2, 1), np.nan), actions=np.zeros((2, 1)), episode_lengths=[2])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_no_file, "no such file"),
        (_folder, "is a folder, .* nppac-demos convert"),
        (_not_npz, "not a readable npz file .* nppac-demos convert"),
        (_truncated, "not a readable npz file"),
        (_pickled, "not a readable npz file"),
        (_npy_of_gigabytes, "not a readable npz file"),
        (_npz_of_gigabytes, "not a readable npz file"),
        (_zeros, "its numbers take over 100 times the file"),
        (_without_lengths, "'episode_lengths'; one episode is .* nppac-demos convert"),
        (_wide_actions, r"actions: have to lie in \[-1, 1\]"),
        (_nan, "states: 2 entries are NaN"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(tmp_path, write, message):
    path = tmp_path / "bad.npz"
    write(path)
    tracemalloc.start()
    with pytest.raises(DataError, match=message) as caught:
        read_episodes(path)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
