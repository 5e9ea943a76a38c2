"""Checks of demonstration arrays and states, and the hash that names a data set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import torch

from nppac_priors.device import moved
from nppac_priors.errors import DataError

_LARGEST = torch.finfo(torch.float32).max


def finite_matrix(
    values: np.ndarray | torch.Tensor,
    name: str,
    *,
    columns: int | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """The values as a detached tensor (n, columns) of float32, or another type, on a device.

    In float32, finite float64 values beyond its range become its largest values.

    Args:
        values: (n, columns), any real type.
        name: What the values are, for messages.
        columns: Required width; any width above zero if None.
        device: Where the result lives.
        dtype: Float32 or float64.

    Raises:
        DataError: Wrong shape or type, NaN or infinity.
        DeviceError: The device cannot be used.
    """
    if isinstance(values, np.ndarray) and not values.flags.writeable:
        values = values.copy()
    try:
        matrix = torch.as_tensor(values).detach()
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: not an array of numbers: {error}") from None
    if matrix.is_complex():
        raise DataError(f"{name}: has to be real, got {matrix.dtype}")
    matrix = moved(matrix, device)
    if matrix.ndim != 2 or matrix.shape[1] != (columns or max(matrix.shape[1], 1)):
        expected = columns if columns is not None else "columns"
        raise DataError(f"{name}: expected shape (n, {expected}), got {tuple(matrix.shape)}")
    finite = torch.isfinite(matrix)
    if not finite.all():
        row, column = (int(i) for i in (~finite).nonzero()[0])
        raise DataError(
            f"{name}: {int((~finite).sum())} entries are NaN or infinite, "
            f"the first in row {row}, column {column}"
        )
    if matrix.dtype == torch.float64 and dtype == torch.float32:
        matrix = matrix.clamp(-_LARGEST, _LARGEST)
    return matrix.to(dtype)


def demonstration_tensors(
    states: np.ndarray | torch.Tensor,
    actions: np.ndarray | torch.Tensor,
    *,
    device: str | torch.device = "cpu",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Checked float32 copies of states (N, S) and actions (N, A), N > 0.

    Raises:
        DataError: Wrong shapes, no rows, NaN or infinity, or actions outside [-1, 1].
    """
    checked_states = finite_matrix(states, "states", device=device)
    checked_actions = finite_matrix(actions, "actions", device=device)
    require_same_rows(len(checked_states), len(checked_actions))
    largest = float(checked_actions.abs().max())
    if largest > 1.0:
        raise DataError(
            f"actions: have to lie in [-1, 1], the largest magnitude is {largest:.6g}; "
            f"rescale or clip them"
        )
    return checked_states.clone(), checked_actions.clone()


def sample_weights(
    weights: np.ndarray | torch.Tensor | None, count: int, *, device: str | torch.device = "cpu"
) -> torch.Tensor:
    """Checked float32 weights (N,) of the samples; ones if None.

    Args:
        weights: (N,) non-negative, not all zero.
        count: N.
        device: Where the result lives.

    Raises:
        DataError: Wrong shape, NaN, infinity, a negative weight, or all zero.
    """
    if weights is None:
        return torch.ones(count, device=device)
    column = torch.as_tensor(weights).reshape(-1, 1)
    checked = finite_matrix(column, "weights", columns=1, device=device).squeeze(1)
    if len(checked) != count or bool((checked < 0).any()) or not bool((checked > 0).any()):
        raise DataError(
            f"weights: expected {count} non-negative numbers, not all zero; got {len(checked)}, "
            f"the smallest {checked.min().item():g}, the largest {checked.max().item():g}"
        )
    return checked.clone()


def count_rows(states: np.ndarray | torch.Tensor, actions: np.ndarray | torch.Tensor) -> int:
    """N of states (N, S) and actions (N, A), by their shapes: nothing of them is read.

    Raises:
        DataError: They have other shapes, or no rows.
    """
    shapes = []
    for name, values in (("states", states), ("actions", actions)):
        try:
            shape = tuple(np.shape(values))
        except ValueError:
            raise DataError(f"{name}: rows differ in length") from None
        if len(shape) != 2 or shape[1] == 0:
            raise DataError(f"{name}: expected shape (n, columns), got {shape}")
        shapes.append(shape)
    require_same_rows(shapes[0][0], shapes[1][0])
    return shapes[0][0]


def require_same_rows(states: int, actions: int) -> None:
    """Refuse numbers of rows that differ or are zero.

    Raises:
        DataError: With both.
    """
    if states != actions or states == 0:
        raise DataError(
            f"states and actions need the same number of rows, at least one; "
            f"got {states} and {actions}"
        )


def hash_data(states: torch.Tensor, actions: torch.Tensor) -> str:
    """SHA-256 (hex) of the float32 bytes of states (N, S), then of actions (N, A)."""
    return hash_blocks((states, actions))


def hash_blocks(blocks: Iterable[torch.Tensor]) -> str:
    """SHA-256 (hex) of the float32 bytes of the blocks, one after the other."""
    digest = hashlib.sha256()
    for values in blocks:
        array = values.detach().to("cpu", torch.float32).contiguous().numpy()
        digest.update(array.astype("<f4", copy=False).tobytes())
    return digest.hexdigest()
