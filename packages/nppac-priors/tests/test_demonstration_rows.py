from __future__ import annotations

import numpy as np
import pytest
import torch
from nppac_priors import demonstration_rows
from nppac_priors.data import hash_data
from nppac_priors.demonstration_rows import DemonstrationRows
from nppac_priors.errors import DataError


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(demonstration_rows, "BLOCK", 7)


@pytest.fixture
def arrays() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((20, 3)), rng.uniform(-1, 1, (20, 2))


def _on_disk(values: np.ndarray, path) -> np.ndarray:
    np.save(path, values)
    return np.load(path, mmap_mode="r")


@pytest.mark.parametrize("kind", ["array", "tensor", "memory map", "list"])
def test_blocks_and_rows_are_those_of_the_arrays(arrays, tmp_path, kind) -> None:
    states, actions = arrays
    change = {
        "array": lambda values: values,
        "tensor": torch.as_tensor,
        "memory map": lambda values: _on_disk(values, tmp_path / f"{values.shape[1]}.npy"),
        "list": np.ndarray.tolist,
    }[kind]
    rows = DemonstrationRows(change(states), change(actions))
    assert (len(rows), rows.state_dim, rows.action_dim) == (20, 3, 2)
    blocks = list(rows.blocks())
    assert [len(block[0]) for block in blocks] == [7, 7, 6]
    expected = torch.as_tensor(states).float(), torch.as_tensor(actions).float()
    for got, all_of_it in zip(zip(*blocks, strict=True), expected, strict=True):
        assert torch.equal(torch.cat(got), all_of_it)
    picked = torch.tensor([19, 0, 3, 3])
    for got, all_of_it in zip(rows.take(picked), expected, strict=True):
        assert torch.equal(got, all_of_it[picked])
    assert rows.data_hash == hash_data(*expected)


def test_problems_name_the_block(arrays) -> None:
    states, actions = arrays
    states[9, 1] = np.nan
    with pytest.raises(DataError, match=r"^rows 7 to 13: states: 1 entries .* row 2, column 1$"):
        DemonstrationRows(states, actions)
    states[9, 1] = 0.0
    actions[19, 0] = 2.0
    with pytest.raises(DataError, match=r"^rows 14 to 19: actions: have to lie in"):
        DemonstrationRows(states, actions)


@pytest.mark.parametrize(
    ("states", "actions"),
    [
        (np.zeros((3, 2)), np.zeros((2, 2))),
        (np.zeros((0, 2)), np.zeros((0, 2))),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros((3, 0)), np.zeros((3, 1))),
        ([["a"]], [[0.0]]),
        (3.0, 4.0),
    ],
)
def test_arrays_that_do_not_fit_together_are_an_error(states, actions) -> None:
    with pytest.raises(DataError) as error:
        DemonstrationRows(states, actions)
    assert "\n" not in str(error.value)
