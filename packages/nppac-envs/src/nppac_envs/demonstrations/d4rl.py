"""Demonstrations from an HDF5 file with all episodes end to end, by default the layout of D4RL.

D4RL (Fu et al., 2020) has `observations` (N, S), `actions` (N, A), and, if there, `rewards` (N,),
`terminals` (N,), `timeouts` (N,) and `next_observations` (N, S). An episode ends where one of the
two flags is set, and at the end of the file; a file that sets none is refused unless the length of
its episodes is given. The state after its last action is taken from `next_observations`; without
them its last observation is the final state and its last action is dropped.

Arrays of other names and places (`log/joints,log/goal`) are named by `fields`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nppac_envs.demonstrations.checks import check_shapes
from nppac_envs.demonstrations.config import FileConfig, Say
from nppac_envs.demonstrations.field_map import FieldNames, named, names_in, renamed
from nppac_envs.demonstrations.findings import Finding, left_out_finding
from nppac_envs.demonstrations.flat_steps import arrays_of_steps, ends_of_length, torn_finding
from nppac_envs.demonstrations.hdf5_file import (
    episodes_parent,
    listed,
    opened,
    read_action_ranges,
    read_columns,
)
from nppac_envs.errors import DataError, EndsError


@final
class D4rlFields(FieldNames, frozen=True):
    """Which arrays of the file are which; several of one are named with commas between them."""

    states: str = "observations"
    """(N, S) states."""
    actions: str = "actions"
    """(N, A) actions."""
    rewards: str = "rewards"
    """(N,) rewards."""
    successes: str = "successes"
    """(N,) success flags."""
    terminals: str = "terminals"
    """(N,) flags: a terminal state follows."""
    timeouts: str = "timeouts"
    """(N,) flags: the episode's last step."""
    next_states: str = "next_observations"
    """(N, S) the state after each step."""
    action_bounds: str = "action_bounds"
    """(2, A) what -1 and 1 stand for in the recording environment's own units."""


@final
class D4rlConfig(FileConfig, frozen=True):
    """An HDF5 file of flat arrays; rewards are as stored."""

    source: Literal["d4rl"] = "d4rl"
    """Kind of source."""
    fields: D4rlFields = named(D4rlFields)
    episode_length: int | None = Field(default=None, ge=1)
    """Steps of every episode, where no flags mark their ends."""

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        columns, remarks, bounds = self._columns()
        ends = self._ends(columns)
        flags = {name: self._flags(columns, name) for name in ("terminals", "successes")}
        successes = flags["successes"] if "successes" in columns else None
        arrays = arrays_of_steps(
            {name: columns.get(name) for name in ("states", "actions", "rewards")}
            | {"successes": successes},
            ends,
            self.where(),
            exclude=self.exclude,
            next_states=columns.get("next_states"),
            terminals=flags["terminals"],
        )
        check_shapes(arrays, self.where())
        for finding in remarks:
            say(finding)
        if "next_states" in columns:
            pairs = columns["states"], columns["next_states"]
            for finding in torn_finding(*pairs, ends, self.exclude):
                say(finding)
        return arrays | bounds

    def _columns(self) -> tuple[dict[str, NDArray[Any]], list[Finding], dict[str, NDArray[Any]]]:
        """Arrays by our names with a row a step, what is said of others, and ranges of actions."""
        where = self.where()
        names: dict[str, str] = self.fields.model_dump(exclude={"action_bounds"})
        required = {"states", "actions", *renamed(self.fields)}
        with opened(self.path, where) as file:
            columns = {}
            for name, stored in names.items():
                parts = names_in(stored)
                missing = [part for part in parts if part not in file]
                if missing and name in required:
                    raise _lacking(missing[0], name, file, where)
                if not missing and parts:
                    columns[name] = read_columns(file, parts, where)
            bounds = read_action_ranges(file, self.fields.action_bounds, where)
            used = {part for stored in names.values() for part in names_in(stored)}
            rows = len(columns["states"])
            left_out = [
                name
                for name, item in _perhaps_states(file)
                if name not in used and np.shape(item)[:1] == (rows,) and item.dtype.kind in "iuf"
            ]
            # Next states would need the same parts, which the file may not have.
            fits = "next_states" not in columns and all(file[name].ndim < 3 for name in left_out)
            states = [*names_in(names["states"]), *left_out] if fits else []
        for name, column in columns.items():
            if len(column) != rows or not rows:
                raise DataError(
                    f"{where}: {names[name]!r} has shape {column.shape}, and {names['states']} "
                    f"{columns['states'].shape}; all need one row a step"
                )
        if columns.get("rewards", np.empty(0)).ndim == 2 and columns["rewards"].shape[1] == 1:
            columns["rewards"] = columns["rewards"][:, 0]
        return columns, [left_out_finding(left_out, states)] if left_out else [], bounds

    def _ends(self, columns: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
        steps = len(columns["states"])
        if self.episode_length is not None:
            return ends_of_length(self.episode_length, steps, self.where())
        ends = self._flags(columns, "terminals") | self._flags(columns, "timeouts")
        if not ends.any():
            raise EndsError(
                f"{self.where()}: no row is marked in {self.fields.timeouts!r} or "
                f"{self.fields.terminals!r}, so the ends of its episodes are not known",
                "give their length, {episode_length}, or write timeouts (N,), true at each "
                "episode's last row",
                columns["states"],
                episode_length=("N",),
            )
        ends[-1] = True
        return np.flatnonzero(ends) + 1

    def _flags(self, columns: dict[str, NDArray[Any]], name: str) -> NDArray[np.bool_]:
        values = columns.get(name, np.zeros(len(columns["states"])))
        flags = values.reshape(len(values), -1)
        if flags.shape[1] != 1 or not np.isin(flags, (0, 1)).all():
            stored = getattr(self.fields, name)
            raise DataError(f"{self.where()}: {stored!r} must hold one flag a step, true or false")
        return flags[:, 0].astype(np.bool_)


def _lacking(stored: str, name: str, file: Any, where: str) -> DataError:
    message = f"{where}: must have an array of numbers {stored!r} ({name}); it has {listed(file)}"
    if (parent := episodes_parent(file)) is None:
        return DataError(message, "name the one that is meant: {fields}", fields={name: "THEIRS"})
    fields = {"episodes": parent, "states": "NAME,NAME", "actions": "NAME"}
    return DataError(
        f"{message}; {parent!r} seems to hold a group for each episode",
        "read it so, with the names of arrays below such a group: {source} {fields}",
        source="robomimic",
        fields=fields,
    )


def _perhaps_states(file: Any) -> Iterator[tuple[str, Any]]:
    """The arrays at the top of a file, and in its groups those that are called goals or targets.

    What else is in groups, as the simulator's own state in `infos`, repeats the state.
    """
    import h5py

    for name, item in file.items():
        if isinstance(item, h5py.Dataset):
            yield name, item
        else:
            for inner, value in item.items():
                if isinstance(value, h5py.Dataset) and any(w in inner for w in ("goal", "target")):
                    yield f"{name}/{inner}", value
