"""What the `fields` of all sources have in common: which part of a file is which."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, Field

Names = TypeVar("Names", bound=BaseModel)


def named(kind: type[Names]) -> Names:
    """The field `fields` of a source's config, of a class of its own."""
    return Field(default_factory=kind, description="What the parts of the set are called in it.")


def names_in(text: str) -> list[str]:
    """The names in a field such as `x,y,theta`."""
    return [name.strip() for name in text.split(",") if name.strip()]


def renamed(fields: BaseModel) -> set[str]:
    """The fields that say something else than by default; a file must have what they name."""
    defaults = {name: field.default for name, field in type(fields).model_fields.items()}
    return {name for name, value in fields if value != defaults[name]}
