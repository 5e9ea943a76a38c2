from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from nppac_priors.data import demonstration_tensors, finite_matrix, hash_data
from nppac_priors.errors import DataError


@given(hnp.arrays(np.float64, (4, 3), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_every_finite_matrix_stays_finite(values):
    matrix = finite_matrix(values, "states", columns=3)
    assert matrix.dtype == torch.float32
    assert torch.isfinite(matrix).all()
    largest = float(np.finfo(np.float32).max)
    inside = np.abs(values) <= largest
    np.testing.assert_array_equal(matrix.numpy()[inside], values[inside].astype(np.float32))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(3), r"states: expected shape \(n, 3\), got \(3,\)"),
        (np.zeros((2, 4)), r"states: expected shape \(n, 3\), got \(2, 4\)"),
        (np.zeros((2, 3, 1)), "expected shape"),
        (np.array([["a", "b", "c"]]), "states: not an array of numbers"),
        (np.zeros((2, 3), dtype=np.complex64), "has to be real"),
        ([[0.0, 1.0, float("nan")]], "states: 1 entries are NaN or infinite, .* row 0, column 2"),
        (torch.tensor([[0.0, 0, 0], [0, -float("inf"), 0]]), "row 1, column 1"),
    ],
)
def test_unusable_values_are_an_error(values, message):
    with pytest.raises(DataError, match=message) as caught:
        finite_matrix(values, "states", columns=3)
    assert "\n" not in str(caught.value)


def test_a_read_only_array_is_copied_silently(recwarn):
    values = np.zeros((2, 3), dtype=np.float32)
    values.flags.writeable = False
    finite_matrix(values, "states", columns=3)
    assert not recwarn.list


def test_demonstrations_are_copies():
    states, actions = np.zeros((2, 3), np.float32), np.zeros((2, 1), np.float32)
    kept_states, kept_actions = demonstration_tensors(states, actions)
    states += 1
    actions += 1
    assert kept_states.abs().sum() == 0
    assert kept_actions.abs().sum() == 0


@pytest.mark.parametrize(
    ("states", "actions", "message"),
    [
        (np.zeros((3, 2)), np.zeros((2, 2)), "got 3 and 2"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "got 0 and 0"),
        (np.zeros((1, 2)), np.full((1, 2), 1.5), r"\[-1, 1\], the largest magnitude is 1.5"),
        (np.zeros((1, 0)), np.zeros((1, 2)), "states: expected shape"),
    ],
)
def test_arrays_that_do_not_fit_together_are_an_error(states, actions, message):
    with pytest.raises(DataError, match=message):
        demonstration_tensors(states, actions)


def test_the_hash_is_that_of_the_float32_bytes():
    states = np.arange(6, dtype=np.float32).reshape(3, 2)
    actions = np.full((3, 1), 0.5, dtype=np.float32)
    expected = hashlib.sha256(states.tobytes() + actions.tobytes()).hexdigest()
    assert hash_data(torch.tensor(states), torch.tensor(actions)) == expected
    transposed = torch.tensor(states.T.copy()).T
    assert hash_data(transposed, torch.tensor(actions).double()) == expected
    assert hash_data(torch.tensor(states) + 1, torch.tensor(actions)) != expected
