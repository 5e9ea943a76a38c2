"""Demonstrations that are read a block of rows at a time and never copied as a whole.

For fits that walk through more data than fits into memory: the arrays stay where they are, which
may be a file (`numpy.load(path, mmap_mode="r")`). Each block passes the same check as arrays that
are taken whole (`data.demonstration_tensors`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from nppac_priors.data import (
    demonstration_tensors,
    finite_matrix,
    hash_blocks,
    require_same_rows,
)
from nppac_priors.device import usable_device
from nppac_priors.errors import DataError

BLOCK = 8192
"""Rows read at a time."""


class DemonstrationRows:
    """States (N, S) and actions (N, A), N > 0, checked by one pass over them.

    Args:
        states: (N, S); kept, not copied.
        actions: (N, A) in [-1, 1]; kept, not copied.
        device: Where the tensors that are read go.

    Attributes:
        state_dim: S.
        action_dim: A.
        data_hash: As `hash_data` gives.

    Raises:
        DataError: Wrong shapes, no rows, NaN or infinity, or actions outside [-1, 1].
    """

    def __init__(
        self,
        states: np.ndarray | Tensor,
        actions: np.ndarray | Tensor,
        device: str | torch.device = "cpu",
    ) -> None:
        """Read all blocks once."""
        self._states, self._actions = _sliceable(states, "states"), _sliceable(actions, "actions")
        self.device = usable_device(device)
        first_states, first_actions = self._read(slice(0, 1))
        self.state_dim, self.action_dim = first_states.shape[1], first_actions.shape[1]
        require_same_rows(len(self._states), len(self._actions))
        for rows in self._slices():
            self._check(rows)
        self.data_hash = hash_blocks(self._hashed_blocks())

    def __len__(self) -> int:
        """Number of rows N."""
        return len(self._states)

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """States and actions, float32, of the rows with these indices, in this order."""
        return self._read(rows.cpu())

    def blocks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in order, float32, at most `BLOCK` at a time."""
        for rows in self._slices():
            yield self._read(rows)

    def _slices(self) -> Iterator[slice]:
        for start in range(0, len(self), BLOCK):
            yield slice(start, min(start + BLOCK, len(self)))

    def _read(self, rows: slice | Tensor) -> tuple[Tensor, Tensor]:
        return demonstration_tensors(
            _rows(self._states, rows), _rows(self._actions, rows), device=self.device
        )

    def _check(self, rows: slice) -> None:
        try:
            self._read(rows)
        except DataError as error:
            if len(self) <= BLOCK:
                raise
            raise DataError(f"rows {rows.start} to {rows.stop - 1}: {error}") from None

    def _hashed_blocks(self) -> Iterator[Tensor]:
        for values in (self._states, self._actions):
            for rows in self._slices():
                yield finite_matrix(_rows(values, rows), "states or actions")


def _sliceable(values: np.ndarray | Tensor, name: str) -> np.ndarray | Tensor:
    if isinstance(values, Tensor | np.ndarray) and values.ndim > 0:
        return values.detach() if isinstance(values, Tensor) else values
    return finite_matrix(values, name)


def _rows(values: np.ndarray | Tensor, rows: slice | Tensor) -> np.ndarray | Tensor:
    if isinstance(rows, slice):
        return values[rows]
    return values[rows.to(values.device)] if isinstance(values, Tensor) else values[rows.numpy()]
