from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from nppac_priors.errors import DataError
from nppac_priors.held_out import checked_lengths, hold_out_rows


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    share=st.floats(0.0, 0.99),
    seed=st.integers(0, 99),
)
def test_whole_episodes_are_held_out_and_every_row_is_in_one_part(lengths, share, seed) -> None:
    n = sum(lengths)
    fitted, held_out = hold_out_rows(torch.tensor(lengths), share, _generator(seed))
    assert sorted(fitted.tolist() + held_out.tolist()) == list(range(n))
    episode = np.repeat(np.arange(len(lengths)), lengths)
    held, kept = set(episode[held_out.numpy()]), set(episode[fitted.numpy()])
    assert not held & kept
    assert kept
    assert bool(held) == (share > 0 and len(lengths) > 1)


def test_the_share_counts_episodes() -> None:
    _, held_out = hold_out_rows(torch.full((20,), 2), 0.25, _generator())
    assert len(held_out) == 10


def test_the_generator_draws_the_episodes() -> None:
    def drawn(seed: int) -> list[int]:
        return hold_out_rows(torch.full((20,), 2), 0.25, _generator(seed))[1].tolist()

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(10)}) > 5


def test_without_lengths_all_rows_are_one_episode_and_none_is_held_out() -> None:
    lengths = checked_lengths(None, 5)
    assert (lengths.dtype, lengths.tolist()) == (torch.int64, [5])
    fitted, held_out = hold_out_rows(lengths, 0.5, _generator())
    assert (fitted.tolist(), held_out.tolist()) == ([0, 1, 2, 3, 4], [])


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.uint64, np.int8, np.int64])
def test_lengths_of_any_whole_type_are_copied(dtype) -> None:
    given = np.array([3, 2], dtype=dtype)
    given.flags.writeable = False
    lengths = checked_lengths(given, 5)
    assert (lengths.dtype, lengths.tolist()) == (torch.int64, [3, 2])
    lengths[0] = 9
    assert given.tolist() == [3, 2]


@pytest.mark.parametrize("lengths", [[3, 3], [5, 0], [2.0, 3.0], [[5]], [6, -1], 5])
def test_lengths_that_do_not_fit_are_an_error(lengths) -> None:
    with pytest.raises(DataError, match="sum to the 5 steps"):
        checked_lengths(np.array(lengths), 5)
