"""Demonstrations from a pickle of the DAPG release (Rajeswaran et al., 2018).

The layout: a list with one dict a demonstration (or a dict of them): `observations` (T, S),
`actions` (T, A) and, if there, `rewards` (T,), each an array or a list of rows. Observation t is
the one that action t was taken in. The state after the last action is not stored, so the last
observation is the final state and the last action is dropped.
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
from nppac_envs.demonstrations.numeric_pickle import PickledArray, load_numeric_pickle
from nppac_envs.errors import DataError


@final
class DapgConfig(FileConfig, frozen=True):
    """A DAPG pickle, read without running what is in it.

    Always clips: these actions went through the simulator's own clipping when they were recorded.
    Rewards are as stored (dense); successes are not in the file.
    """

    source: Literal["dapg"] = "dapg"
    """Kind of source."""

    def clips(self) -> bool:
        """True."""
        return True

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        where = self.where()
        demos, size = read_legacy(self.path, load_numeric_pickle, where)
        if isinstance(demos, dict) and demos and all(isinstance(d, dict) for d in demos.values()):
            demos = list(demos.values())
        if not isinstance(demos, list) or not demos:
            raise DataError(
                f"{where}: must be a list of demonstrations, not {type(demos).__name__}"
            )
        budget = NumberBudget(size)

        def read(demo: Any, number: int) -> Episode:
            return _episode(demo, budget, f"{where}: demonstration {number}")

        arrays = read_episodes(demos, read, where, self.exclude)
        left_out = sorted({name for demo in demos for name in _like_states(demo)})
        if left_out:
            say(left_out_finding(left_out))
        return arrays


def _like_states(demo: Any) -> Iterator[str]:
    """Names of what has a vector for each action and is not read, such as goals."""
    steps = _rows(demo.get("actions")) if isinstance(demo, dict) else 0
    for name, value in demo.items() if steps else ():
        known = name in ("observations", "actions", "rewards")
        if isinstance(name, str) and not known and _rows(value) == steps:
            yield name


def _rows(value: Any) -> int:
    """Of a matrix of numbers; 0 where it is none."""
    if not isinstance(value, PickledArray):
        return 0
    of = value.values
    return len(of) if of.ndim == 2 and of.dtype.kind in "iuf" else 0


def _episode(demo: Any, budget: NumberBudget, where: str) -> Episode:
    if not isinstance(demo, dict):
        raise DataError(f"{where}: must be a dict, not {type(demo).__name__}")
    observations, actions = (_array(demo, name, where) for name in ("observations", "actions"))
    if len(observations) != len(actions) or len(actions) < 2:
        raise DataError(
            f"{where}: needs as many observations as actions, two or more; has "
            f"{len(observations)} and {len(actions)}"
        )
    for array in (observations, actions):
        budget.spend(array, where)
    rewards = _array(demo, "rewards", where)[:-1] if "rewards" in demo else None
    return Episode(observations, actions[:-1], rewards)


def _array(demo: dict[str, Any], name: str, where: str) -> NDArray[Any]:
    value = demo.get(name)
    if isinstance(value, list):
        return _stacked(value, name, where)
    if not isinstance(value, PickledArray) or value.objects is not None or value.values.ndim == 0:
        there = ", ".join(repr(key) for key in demo if isinstance(key, str))[:200]
        raise DataError(f"{where}: must have an array {name!r}; it has {there or 'none'}")
    return value.values


def _stacked(rows: list[Any], name: str, where: str) -> NDArray[Any]:
    """A list of vectors, or of numbers, as one array."""
    values = [row.values if isinstance(row, PickledArray) else np.asarray(row) for row in rows]
    plain = all(of.dtype.kind in "biuf" and of.shape == values[0].shape for of in values)
    if not values or not plain or values[0].ndim > 1:
        raise DataError(f"{where}: must have an array {name!r}, or a list of vectors of one size")
    return np.stack(values)
