"""Demonstrations from an npz file: your own, or one that `Demonstrations.save_npz` wrote.

The format, N steps in E episodes:

| array | shape | |
| --- | --- | --- |
| `states` | (N, S) | the state each action was taken in |
| `actions` | (N, A) | in [-1, 1] |
| `episode_lengths` | (E,) whole numbers | sum to N |
| `final_states` | (E, S) | the state after each episode's last action; without it each episode's last step is used up: its state becomes the final state and its action is dropped |
| `rewards` | (N,) | optional |
| `successes` | (N,) true or false | optional |
| `terminations` | (E,) true or false | optional: the episode ended in a terminal state |
| `moved_successes` | (E,) true or false | optional: the last step's success is that of a step after it, whose outcome is not in the file |
| `action_bounds` | (2, A) | optional: what -1 and 1 stand for in the units of the environment of the recording |
| `source_range` | (2, A) | optional: what they stand for in the numbers of the file that the actions were mapped from |

Other usual names are found (`observations`, `obs`, `acts`, `rews`, ...). In place of lengths the file
may mark steps, (N,): `dones`, `terminals`, `timeouts` or `episode_starts`; in place of final states it
may have `next_states`, or one state more than actions in each episode. Padded arrays, states (E, T, S)
and actions (E, T, A), need `episode_lengths` or a `mask` (E, T); see `npz_layout`.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nppac_envs.demonstrations.config import FileConfig, Say
from nppac_envs.demonstrations.field_map import FieldNames, named, names_in, renamed, side_by_side
from nppac_envs.demonstrations.findings import left_out_finding
from nppac_envs.demonstrations.npz_file import NpzShapes, npz_shapes, read_npz
from nppac_envs.demonstrations.npz_layout import FLAGS, from_layout
from nppac_envs.errors import DataError


@final
class NpzFields(FieldNames, frozen=True):
    """Which array of the file is which; the defaults are the package's own format."""

    states: str = "states"
    """(N, S) states; several arrays have commas between them."""
    actions: str = "actions"
    """(N, A) actions."""
    episode_lengths: str = "episode_lengths"
    """(E,) steps an episode."""
    final_states: str = "final_states"
    """(E, S) final states."""
    next_states: str = "next_states"
    """(N, S) state after each step."""
    rewards: str = "rewards"
    """(N,) rewards."""
    successes: str = "successes"
    """(N,) success flags."""
    terminations: str = "terminations"
    """(E,) terminal-state flags."""
    terminals: str = "terminals"
    """(N,) flags: a terminal state follows."""
    timeouts: str = "timeouts"
    """(N,) flags: an episode's last step."""
    dones: str = "dones"
    """(N,) flags: an episode's last step."""
    episode_starts: str = "episode_starts"
    """(N,) flags: a first step."""
    mask: str = "mask"
    """(E, T) flags: a step that is no padding."""
    action_bounds: str = "action_bounds"
    """(2, A) what -1 and 1 stand for in the recording environment's own units."""


_ALSO = {
    "states": ("observations", "obs"),
    "actions": ("acts",),
    "rewards": ("rews",),
    "next_states": ("next_observations", "next_obs"),
    "terminations": ("terminal",),
}
"""Names that are looked for where the default is not there; `terminal` is that of `imitation`."""
_OURS = ("source_range", "moved_successes")
"""What only `Demonstrations.save_npz` writes, always under these names."""
_SPLITS = "indices"
"""Where `imitation` writes after which steps episodes are split, (E - 1,)."""


@final
class NpzConfig(FileConfig, frozen=True):
    """An npz file of this package's format, or of one that is told by the names of its arrays."""

    source: Literal["npz"] = "npz"
    """Kind of source."""
    fields: NpzFields = named(NpzFields)
    episode_length: int | None = Field(default=None, ge=1)
    """Steps of every episode, where the file does not say."""

    def _told_dimensions(self) -> tuple[int, int] | None:
        return stored_dimensions(self.path, self.fields)

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        return read_demonstrations(self.path, self.fields, self.exclude, self.episode_length, say)


def read_demonstrations(
    path: Path,
    fields: NpzFields,
    exclude: Collection[int] = (),
    episode_length: int | None = None,
    say: Say = lambda finding: None,
) -> dict[str, NDArray[Any]]:
    """Read the arrays of `Demonstrations` from an npz file.

    Args:
        path: The file.
        fields: Which of its arrays is which.
        exclude: Numbers of episodes that need not be readable.
        episode_length: Steps of every episode, where the file does not say.
        say: Called with what is not read.

    Raises:
        DataError: The file is missing or broken, or lacks an array that it must have: `states`,
            `actions`, what says where episodes end, and each one that `fields` renames.
    """
    shapes = npz_shapes(path)
    names = _stored_names(fields, shapes)
    there = ", ".join(f"{name} {shape}" for name, (shape, _) in [*shapes.items()][:12])
    for name in ("states", "actions", *sorted(renamed(fields))):
        if name not in names:
            stored = getattr(fields, name)
            lacking = [part for part in names_in(stored) if part not in shapes] or [stored]
            raise DataError(
                f"{path}: has no array {lacking[0]!r} ({name}); it has {there}",
                "name the one that is meant: {fields}",
                fields={name: "THEIRS"},
            )
    found = read_npz(path, {*chain(*names.values()), _SPLITS})
    arrays = {
        name: side_by_side({of: found[of] for of in stored}, f"{path}: {name}")
        for name, stored in names.items()
    }
    if "episode_lengths" not in arrays and _SPLITS in found:
        ends = [*found[_SPLITS].tolist(), len(np.atleast_1d(arrays["actions"]))]
        arrays["episode_lengths"] = np.diff(np.array(ends), prepend=0)
    for name in {"successes", "moved_successes", *FLAGS} & arrays.keys():
        if not np.isin(arrays[name], (0, 1)).all():
            raise DataError(
                f"{path}: {names[name][0]!r} ({name}) must hold true and false, or 0 and 1"
            )
    if left_out := _left_out(shapes, names):
        widths = {shapes[name][0][1:] for name in left_out}
        # Final and next states would need the same parts, which the file may not have.
        fits = not {"final_states", "next_states"} & names.keys() and arrays["states"].ndim == 2
        vectors = fits and all(len(width) < 2 for width in widths)
        say(left_out_finding(left_out, [*names["states"], *left_out] if vectors else []))
    return from_layout(arrays, f"{path}", exclude, episode_length, there)


def stored_dimensions(path: Path, fields: NpzFields) -> tuple[int, int] | None:
    """Numbers of a state and of an action, by the headers of a file's arrays.

    Args:
        path: The file.
        fields: As for `read_demonstrations`.

    Raises:
        DataError: The file is missing or is no npz file.
    """
    shapes = npz_shapes(path)
    names = _stored_names(fields, shapes)
    if not {"states", "actions"} <= names.keys():
        return None
    states, actions = (
        sum(shapes[stored][0][-1] if len(shapes[stored][0]) > 1 else 1 for stored in names[name])
        for name in ("states", "actions")
    )
    return states, actions


def _left_out(shapes: NpzShapes, used: dict[str, list[str]]) -> list[str]:
    """Arrays with a row a step that are not read."""
    rows = shapes[used["states"][0]][0][:1]
    read = {*chain(*used.values())}
    return [
        name
        for name, (shape, dtype) in shapes.items()
        if name not in read and shape[:1] == rows and dtype.kind in "iuf"
    ]


def _stored_names(fields: NpzFields, there: Collection[str]) -> dict[str, list[str]]:
    """The names in the file by our names, of the arrays that are there."""
    names = {}
    for name, stored in fields.model_dump().items():
        also = () if name in renamed(fields) else _ALSO.get(name, ())
        several = name == "states" and stored not in there
        candidates = [names_in(stored) if several else [stored], *([other] for other in also)]
        found = [parts for parts in candidates if parts and {*parts} <= {*there}]
        if found:
            names[name] = found[0]
    return names | {name: [name] for name in _OURS if name in there}
