"""Demonstrations from an HDF5 file with a group for each: robomimic, robosuite, MimicGen.

The layout: `data/demo_0`, `data/demo_1`, ..., each with `actions` (T, A), `obs/NAME` (T, ...) and,
if there, `next_obs/NAME`, `rewards` (T,) and `dones` (T,). The state is what `fields.states` names,
in that order; without it every vector in `obs`, in the order of their names. Images are not read.
Masks (`mask/train`) choose demonstrations by name. Without `next_obs` the last observation of a
demonstration becomes its final state, and its last action is dropped. `dones` mark success in some
of these files and the last step in others, and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.config import FileConfig, Say
from nppac_envs.demonstrations.episodes import Episode, read_episodes
from nppac_envs.demonstrations.field_map import FieldNames, named, names_in, renamed
from nppac_envs.demonstrations.findings import left_out_finding
from nppac_envs.demonstrations.flat_steps import success_kept
from nppac_envs.demonstrations.hdf5_file import listed, opened, read_action_ranges, read_columns
from nppac_envs.errors import DataError


@final
class RobomimicFields(FieldNames, frozen=True):
    """Which arrays of a demonstration are which; several of one have commas between them."""

    episodes: str = "data"
    """Group that holds a group an episode."""
    states: str = ""
    """Names in obs, or paths in the episode's group; all vectors of obs if empty."""
    actions: str = "actions"
    """(T, A) actions."""
    rewards: str = "rewards"
    """(T,) rewards, if there are."""
    successes: str = "successes"
    """(T,) success flags, if there are."""
    terminals: str = "terminals"
    """(T,) flags: a terminal state follows, if there are."""
    next_obs: str = "next_obs"
    """Group like obs, one step later."""
    action_bounds: str = "action_bounds"
    """(2, A) what -1 and 1 stand for in the recording environment's own units, an array of the
    file."""


@final
class RobomimicConfig(FileConfig, frozen=True):
    """An HDF5 file with a group for each demonstration; rewards are as stored."""

    source: Literal["robomimic"] = "robomimic"
    """Kind of source."""
    fields: RobomimicFields = named(RobomimicFields)
    mask: str | None = None
    """Use the demonstrations that mask/NAME lists, such as train."""

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        where = self.where()
        with opened(self.path, where) as file:
            demos = list(self._demonstrations(file))
            self._say_left_out(demos[0][1], say)
            first, paths = demos[0][0], self._states(demos[0][1])

            def read(item: tuple[str, Any], number: int) -> Episode:
                name, demo = item
                if (own := self._states(demo)) != paths:
                    raise DataError(
                        f"{where}: {name}: its observations are {_named(own)}, those of {first} "
                        f"{_named(paths)}; all episodes need the same",
                        "name what the state is: {fields}",
                        fields={"states": "NAME,NAME"},
                    )
                return self._episode(demo, f"{where}: {name}")

            ranges = read_action_ranges(file, self.fields.action_bounds, where)
            return ranges | read_episodes(demos, read, where, self.exclude)

    def _say_left_out(self, demo: Any, say: Say) -> None:
        """Say which observations are not read, images among them."""
        used = self._states(demo)
        left_out = [f"obs/{name}" for name in demo.get("obs", {}) if f"obs/{name}" not in used]
        if left_out:
            vectors = all(_is_vector(demo[path]) for path in left_out)
            say(left_out_finding(left_out, [*used, *left_out] if vectors else []))

    def _demonstrations(self, file: Any) -> Iterator[tuple[str, Any]]:
        """Names and groups of the demonstrations, by their numbers, the mask applied."""
        import h5py

        where, parent = self.where(), file.get(self.fields.episodes)
        groups = {
            name: item for name, item in (parent or {}).items() if isinstance(item, h5py.Group)
        }
        if not groups:
            raise DataError(
                f"{where}: has no group {self.fields.episodes!r} with a group for each episode "
                f"(episodes); it has {listed(file)}",
                "name the one that is meant, / for the file itself: {fields}",
                fields={"episodes": "THEIRS"},
            )
        wanted = set(groups)
        if self.mask is not None:
            item = file.get(f"mask/{self.mask}")
            if not isinstance(item, h5py.Dataset):
                there = _named(file.get("mask", {}))
                raise DataError(f"{where}: has no mask {self.mask!r}; there are {there}")
            wanted = {str(name, "utf-8") for name in item[()].tolist()}
            if not wanted or not wanted <= set(groups):
                raise DataError(f"{where}: mask {self.mask!r} names no demonstrations of the file")
        yield from ((name, groups[name]) for name in sorted(wanted, key=_by_number))

    def _states(self, demo: Any) -> list[str]:
        """The paths of the state's parts in a demonstration."""
        import h5py

        obs = demo.get("obs")
        inside = obs if isinstance(obs, h5py.Group) else {}
        if self.fields.states:
            names = names_in(self.fields.states)
            return [f"obs/{name}" if name in inside else name for name in names]
        return [f"obs/{n}" for n, item in inside.items() if _is_vector(item)]

    def _optional(self, demo: Any, name: str, where: str) -> NDArray[Any] | None:
        """An array that is read where it is there, and required where it was renamed."""
        stored = getattr(self.fields, name)
        if stored not in demo and name not in renamed(self.fields):
            return None
        return read_columns(demo, [stored], where)

    def _episode(self, demo: Any, where: str) -> Episode:
        paths = self._states(demo)
        if not paths:
            raise DataError(
                f"{where}: has no vectors in 'obs'; it has {listed(demo)}",
                "name what the state is: {fields}",
                fields={"states": "NAME,NAME"},
            )
        states = read_columns(demo, paths, where)
        observations = states.reshape(len(states), -1)
        actions = read_columns(demo, [self.fields.actions], where)
        rewards, successes, terminals = (
            self._optional(demo, name, where) for name in ("rewards", "successes", "terminals")
        )
        moved = bool(demo.attrs.get("success_moved", False))
        after = [f"{self.fields.next_obs}{path.removeprefix('obs')}" for path in paths]
        if len(observations) == len(actions) and all(path in demo for path in after):
            final = read_columns(demo, after, where)
            final = final.reshape(len(final), -1)[-1:]
            observations = np.concatenate([observations, final])
        elif len(observations) == len(actions):
            if successes is not None and len(successes) > 1:
                successes, (moved,) = success_kept(successes, np.array([len(successes) - 1]))
            actions = actions[:-1]
            rewards, successes = (None if of is None else of[:-1] for of in (rewards, successes))
        terminated = terminals is not None and bool(np.ravel(terminals)[-1])
        return Episode(observations, actions, rewards, successes, terminated, bool(moved))


def _is_vector(item: Any) -> bool:
    """Whether an array has one row of numbers, or one number, a step; images have more."""
    return getattr(item, "ndim", 0) in (1, 2) and item.dtype.kind in "iuf"


def _named(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _by_number(name: str) -> tuple[str, int]:
    """`demo_2` before `demo_10`."""
    number = re.search(r"\d+$", name)
    return (name[: number.start()], int(number[0])) if number else (name, -1)


def has_episode_groups(path: Path, parent: str = "data") -> bool:
    """Whether an HDF5 file has a group of groups `parent`; False if it cannot be read."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            data: Any = file.get(parent)
            kinds = [data.get(name, getclass=True) for name in data or ()]
            return h5py.Group in kinds
    except Exception:
        return False
