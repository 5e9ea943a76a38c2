"""Raw observations as rows of states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_priors.errors import DataError


def state_rows(observation: Any, keys: tuple[str, ...] | None) -> tuple[NDArray[Any], bool]:
    """States (B, S), and whether it was a single observation.

    Args:
        observation: (S,) or (B, S); or a dict with entries (n,), numbers, or (B, n).
        keys: Entries of a dict that make the state, in order.

    Raises:
        DataError: It is neither, or a dict lacks an entry.
    """
    if isinstance(observation, Mapping):
        return _joined(observation, keys)
    values = _array(observation, "observation")
    if values.ndim not in (1, 2):
        raise DataError(f"observation: expected (S,) or (B, S), got shape {values.shape}")
    return np.atleast_2d(values), values.ndim == 1


def _joined(
    observation: Mapping[str, Any], keys: tuple[str, ...] | None
) -> tuple[NDArray[Any], bool]:
    if keys is None:
        raise DataError("observation: is a dict, this policy takes a vector")
    missing = [key for key in keys if key not in observation]
    if missing:
        raise DataError(f"observation: has no entry {missing[0]!r}; the state is {', '.join(keys)}")
    entries = [_array(observation[key], f"observation[{key!r}]") for key in keys]
    single = all(entry.ndim < 2 for entry in entries)
    if single:
        entries = [np.atleast_2d(entry) for entry in entries]
    if any(entry.ndim != 2 for entry in entries) or len({len(entry) for entry in entries}) > 1:
        shapes = ", ".join(str(entry.shape) for entry in entries)
        raise DataError(f"observation: its entries are no batch of one size, got shapes {shapes}")
    return np.concatenate(entries, axis=1), single


def _array(values: Any, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name}: has to hold real numbers, got {array.dtype}")
    return array
