"""Demonstrations that ship with the package; their `.json` says how each set was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self, final

from numpy.typing import NDArray
from pydantic import field_validator, model_validator

from nppac_envs.demonstrations.config import DemonstrationsConfig, Say
from nppac_envs.demonstrations.npz import NpzFields, read_demonstrations, stored_dimensions

FOLDER = Path(__file__).parents[1] / "data"


def shipped_names() -> tuple[str, ...]:
    """Names of the sets that ship, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.npz")))


def _story(name: str) -> dict[str, Any]:
    """What a set's `.json` says: `env`, the environment with its settings, `episodes`, and more."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def shipped_tasks() -> frozenset[str]:
    """Kinds of the environments that sets ship of."""
    return frozenset(_story(name)["env"]["kind"] for name in shipped_names())


@final
class ShippedConfig(DemonstrationsConfig, frozen=True):
    """A set that ships with the package, by name; `shipped_names` lists them."""

    source: Literal["shipped"] = "shipped"
    """Kind of source."""
    name: str
    """Name of the set, e.g. door."""

    def _place(self) -> str:
        return str(self.name)

    @field_validator("name")
    @classmethod
    def _ships(cls, name: str) -> str:
        if name not in shipped_names():
            known = ", ".join(repr(known) for known in shipped_names()) or "none"
            raise ValueError(f"no demonstrations ship under {name!r}; there are: {known}")
        return name

    @model_validator(mode="after")
    def _has_the_episodes(self) -> Self:
        if (problem := self._misses(_story(self.name)["episodes"])) is not None:
            raise ValueError(problem)
        return self

    @property
    def recorded_in(self) -> dict[str, Any]:
        """The environment: its kind, and its settings that are not its only ones."""
        return _story(self.name)["env"]

    def _told_dimensions(self) -> tuple[int, int] | None:
        return stored_dimensions(FOLDER / f"{self.name}.npz", NpzFields())

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        return read_demonstrations(FOLDER / f"{self.name}.npz", NpzFields())
