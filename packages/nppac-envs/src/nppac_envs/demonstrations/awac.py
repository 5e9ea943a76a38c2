"""Demonstrations from a npy file of the AWAC release (Nair et al., 2020): `pen2_sparse.npy`, ...

The layout: an array of objects, one dict a path, with `observations` and `next_observations` (lists
of vectors, or of dicts that hold one under `observation` or `state_observation`), `actions`,
`rewards` (one more than steps in the published files; it goes) and `terminals`. Other vectors, as
goals, are not read, and named. It is a pickle inside, and is read like one of the DAPG release:
nothing in it is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.config import FileConfig, Say
from nppac_envs.demonstrations.episodes import Episode, read_episodes
from nppac_envs.demonstrations.findings import left_out_finding
from nppac_envs.demonstrations.legacy import NumberBudget, read_legacy
from nppac_envs.demonstrations.npz_file import read_npy_header
from nppac_envs.demonstrations.numeric_pickle import PickledArray, load_numeric_pickle
from nppac_envs.errors import DataError

_OBSERVATION_KEYS = ("observation", "state_observation")
_READ = ("observations", "next_observations", "actions", "rewards", "terminals")


@final
class AwacConfig(FileConfig, frozen=True):
    """A npy file of AWAC's paths, read without running what is in it.

    Rewards are as stored (0 on success, -1 elsewhere, in the published files).
    """

    source: Literal["awac"] = "awac"
    """Kind of source."""

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        where = self.where()
        content, size = read_legacy(self.path, _load, where)
        if not isinstance(content, PickledArray) or not content.objects:
            raise DataError(f"{where}: must be a one-dimensional array of path dicts")
        budget = NumberBudget(size)
        left_out: set[str] = set()

        def read(path: Any, number: int) -> Episode:
            episode = _episode(path, budget, f"{where}: path {number}")
            left_out.update(_like_states(path, len(episode.actions)))
            return episode

        arrays = read_episodes(content.objects, read, where, self.exclude)
        if left_out:
            say(left_out_finding(sorted(left_out)))
        return arrays


def _load(raw: bytes) -> Any:
    shape, _, dtype, offset = read_npy_header(raw)
    if dtype != np.dtype(object) or len(shape) != 1:
        raise ValueError(f"holds {dtype} of shape {shape}, not a list of objects")
    return load_numeric_pickle(raw[offset:])


def _episode(path: Any, budget: NumberBudget, where: str) -> Episode:
    if not isinstance(path, dict):
        raise DataError(f"{where}: must be a dict, not {type(path).__name__}")
    names = ("observations", "next_observations", "actions")
    lists = [_list(path, name, where) for name in names]
    if len({len(rows) for rows in lists}) > 1:
        raise DataError(
            f"{where}: needs as many observations and next_observations as actions, has "
            f"{', '.join(str(len(rows)) for rows in lists)}"
        )
    observations = _matrix(lists[0] + lists[1][-1:], "observations", budget, where)
    actions = _matrix(lists[2], "actions", budget, where)
    rewards = _column(path, "rewards", where)
    if rewards is not None and len(rewards) == len(actions) + 1:
        rewards = rewards[:-1]
    terminals = _column(path, "terminals", where)
    terminated = terminals is not None and terminals.size > 0 and bool(terminals[-1])
    return Episode(observations, actions, rewards, None, terminated)


def _like_states(path: dict[str, Any], steps: int) -> Iterator[str]:
    """Names of what has a vector for each of the steps and is not read, such as goals.

    Of dict observations, the entries in which the first one differs from what is read.
    """
    for name, value in path.items():
        if isinstance(name, str) and name not in _READ and _rows(value) == steps:
            yield name
    first = _list(path, "observations", "")[0]
    state = _vector(first)
    for name in first if isinstance(first, dict) else ():
        vector = _vector(first[name])
        if vector is not None and (state is None or not np.array_equal(vector, state)):
            yield f"observations[{name!r}]"


def _rows(value: Any) -> int:
    """Of a matrix of numbers, or of a list of vectors; 0 where it is none."""
    if isinstance(value, PickledArray) and value.objects is None:
        return len(value.values) if value.values.ndim == 2 else 0
    rows: Any = value.objects if isinstance(value, PickledArray) else value
    if not isinstance(rows, list) or any(_vector(row) is None for row in rows):
        return 0
    return len(rows)


def _list(path: dict[str, Any], name: str, where: str) -> list[Any]:
    value = path.get(name)
    if isinstance(value, PickledArray):
        value = list(value.values) if value.objects is None else value.objects
    if not isinstance(value, list) or not value:
        raise DataError(f"{where}: must have a list {name!r}")
    return value


def _matrix(rows: list[Any], name: str, budget: NumberBudget, where: str) -> NDArray[Any]:
    """(T, width) numbers from vectors, or from dicts that hold one."""
    vectors = []
    for row in rows:
        vector = _vector(row)
        if vector is None or (vectors and vector.shape != vectors[0].shape):
            raise DataError(
                f"{where}: {name} must be vectors of one size, or dicts with one under "
                f"{' or '.join(map(repr, _OBSERVATION_KEYS))}"
            )
        budget.spend(vector, where)
        vectors.append(vector)
    return np.stack(vectors)


def _vector(row: Any) -> NDArray[Any] | None:
    if isinstance(row, dict):
        row = next((row[key] for key in _OBSERVATION_KEYS if key in row), None)
    values = row.values if isinstance(row, PickledArray) else row
    return values if isinstance(values, np.ndarray) and values.ndim == 1 and values.size else None


def _column(path: dict[str, Any], name: str, where: str) -> NDArray[Any] | None:
    """(T,) numbers from an array or a list of numbers; None where there is none."""
    value = path.get(name)
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(entry, int | float) for entry in value):
        try:
            return np.array(value, np.float64)
        except OverflowError as error:
            raise DataError(f"{where}: {name} hold a number beyond float64") from error
    if not isinstance(value, PickledArray) or value.values.ndim == 0:
        raise DataError(f"{where}: {name} must be an array of numbers")
    return value.values.reshape(len(value.values), -1)[:, 0]
