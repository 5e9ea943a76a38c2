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
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.flat_steps import without_last_steps
from nppac_envs.demonstrations.npz_file import read_npz
from nppac_envs.errors import DataError


@final
class NpzFields(BaseModel, frozen=True, extra="forbid"):
    """Which array of the file is which; the defaults are the package's own format."""

    states: str = Field(default="states", description="(N, S) states.")
    actions: str = Field(default="actions", description="(N, A) actions.")
    episode_lengths: str = Field(default="episode_lengths", description="(E,) steps an episode.")
    final_states: str = Field(default="final_states", description="(E, S) final states.")
    rewards: str = Field(default="rewards", description="(N,) rewards.")
    successes: str = Field(default="successes", description="(N,) success flags.")
    terminations: str = Field(default="terminations", description="(E,) terminal-state flags.")


@final
class NpzConfig(DemonstrationsConfig, frozen=True):
    """An npz file; the module's docstring has the format."""

    source: Literal["npz"] = Field(default="npz", description="Kind of source.")
    path: Path = Field(description="The file.")
    fields: NpzFields = Field(
        default_factory=NpzFields, description="Names of the arrays in the file."
    )

    def _place(self) -> str:
        return str(self.path)

    def _read(self) -> dict[str, NDArray[Any]]:
        return read_demonstrations(self.path, self.fields, self.exclude)


def read_demonstrations(
    path: Path, fields: NpzFields, exclude: Collection[int] = ()
) -> dict[str, NDArray[Any]]:
    """Read the arrays of `Demonstrations` from an npz file.

    Raises:
        DataError: The file is missing or broken, or lacks an array that it must have: `states`,
            `actions`, `episode_lengths`, and each one that `fields` renames.
    """
    names: dict[str, str] = fields.model_dump()
    found = read_npz(path, names.values())
    for name, stored in names.items():
        required = name in ("states", "actions", "episode_lengths") or stored != name
        if required and stored not in found:
            hint = "; one episode is [N]" if name == "episode_lengths" else ""
            raise DataError(f"{path}: has no array {stored!r} ({name}{hint})")
    arrays = {name: found[stored] for name, stored in names.items() if stored in found}
    for name in {"successes", "terminations"} & arrays.keys():
        if not np.isin(arrays[name], (0, 1)).all():
            raise DataError(
                f"{path}: {names[name]!r} ({name}) must hold true and false, or 0 and 1"
            )
    if "final_states" not in arrays:
        return without_last_steps(arrays, str(path), exclude)
    return arrays
