"""Demonstrations that ship with the package; their `.json` says how each set was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, final

from numpy.typing import NDArray
from pydantic import field_validator

from nppac_envs.demonstrations.config import DemonstrationsConfig, Say
from nppac_envs.demonstrations.npz import NpzFields, read_demonstrations

FOLDER = Path(__file__).parents[1] / "data"


def shipped_names() -> tuple[str, ...]:
    """Names of the sets that ship, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.npz")))


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

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        return read_demonstrations(FOLDER / f"{self.name}.npz", NpzFields())
