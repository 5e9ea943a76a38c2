"""Demonstrations from an HDF5 file in the layout of D4RL (Fu et al., 2020).

All episodes end to end: `observations` (N, S), `actions` (N, A), and, if there, `rewards` (N,),
`terminals` (N,), `timeouts` (N,) and `next_observations` (N, S). An episode ends where one of the
two flags is set, and at the end of the file; a file that sets none is refused. The state after its
last action is taken from `next_observations`; without them its last observation is the final state
and its last action is dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.file_guard import regular_file
from nppac_envs.demonstrations.flat_steps import arrays_of_steps
from nppac_envs.demonstrations.hdf5_file import check_hdf5
from nppac_envs.errors import DataError

_OPTIONAL = ("rewards", "terminals", "timeouts", "next_observations")


@final
class D4rlConfig(DemonstrationsConfig, frozen=True):
    """An HDF5 file of D4RL; rewards are as stored, successes are not in the file."""

    source: Literal["d4rl"] = Field(default="d4rl", description="Kind of source.")
    path: Path = Field(description="The HDF5 file.")

    def _place(self) -> str:
        return str(self.path)

    def _read(self) -> dict[str, NDArray[Any]]:
        where = self.where()
        path = regular_file(self.path, where)
        try:
            check_hdf5(path, where)
            columns = _columns(path, where)
        except DataError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(
                f"{where}: not a readable HDF5 file ({type(error).__name__}: {reason})"
            ) from error
        steps = len(columns["observations"])
        terminals = _flags(columns.get("terminals", np.zeros(steps)), "terminals", where)
        timeouts = _flags(columns.get("timeouts", np.zeros(steps)), "timeouts", where)
        ends = terminals | timeouts
        if not ends.any():
            raise DataError(
                f"{where}: no row is marked in 'timeouts' or 'terminals', so the ends of its "
                "episodes are not known; write timeouts (N,), true at each episode's last row"
            )
        ends[-1] = True
        return arrays_of_steps(
            {
                "states": columns["observations"],
                "actions": columns["actions"],
                "rewards": columns.get("rewards"),
            },
            np.flatnonzero(ends) + 1,
            where,
            exclude=self.exclude,
            next_states=columns.get("next_observations"),
            terminals=terminals,
        )


def _columns(path: Path, where: str) -> dict[str, NDArray[Any]]:
    """The arrays by name, each with as many rows as there are observations."""
    import h5py

    found = {}
    with h5py.File(path, "r") as file:
        for name in ("observations", "actions", *_OPTIONAL):
            item = file.get(name)
            if item is None and name in _OPTIONAL:
                continue
            if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
                raise DataError(f"{where}: must have an array of numbers {name!r}")
            found[name] = item[()]
            rows = np.shape(found[name])[:1]
            if rows != np.shape(found["observations"])[:1] or rows in ((), (0,)):
                raise DataError(
                    f"{where}: {name!r} has shape {np.shape(found[name])}, and observations "
                    f"{np.shape(found['observations'])}; all need one row a step"
                )
    return found


def _flags(values: NDArray[Any], name: str, where: str) -> NDArray[np.bool_]:
    flags = values.reshape(len(values), -1)
    if flags.shape[1] != 1 or not np.isin(flags, (0, 1)).all():
        raise DataError(f"{where}: {name!r} must hold one flag a step, true or false")
    return flags[:, 0].astype(np.bool_)
