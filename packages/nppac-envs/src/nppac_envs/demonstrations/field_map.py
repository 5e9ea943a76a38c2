"""What the `fields` of all sources have in common: which part of a file is which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from nppac_envs.errors import DataError


class FieldNames(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """A source's names of its parts; a class of each source has them as its fields."""


Names = TypeVar("Names", bound=FieldNames)


def named(kind: type[Names]) -> Names:
    """The field `fields` of a source's config, of a class of its own."""
    return Field(default_factory=kind, description="What the parts of the set are called in it.")


def names_in(text: str) -> list[str]:
    """The names in a field such as `x,y,theta`."""
    return [name.strip() for name in text.split(",") if name.strip()]


def renamed(fields: FieldNames) -> set[str]:
    """The fields that say something else than by default; a file must have what they name."""
    defaults = {name: field.default for name, field in type(fields).model_fields.items()}
    return {name for name, value in fields if value != defaults[name]}


def side_by_side(parts: Mapping[str, NDArray[Any]], where: str) -> NDArray[Any]:
    """One array as it is; several, (N,) or (N, K), as (N, their columns together).

    Raises:
        DataError: They do not fit side by side.
    """
    arrays = [*parts.values()]
    if len(arrays) == 1:
        return arrays[0]
    if len({array.shape[:1] for array in arrays}) > 1 or any(a.ndim not in (1, 2) for a in arrays):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in parts.items())
        raise DataError(f"{where}: do not fit side by side: {shapes}")
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
