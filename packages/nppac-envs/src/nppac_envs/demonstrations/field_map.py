"""What the `fields` of all sources have in common: which part of a file is which."""

from __future__ import annotations

from pydantic import BaseModel


def names_in(text: str) -> list[str]:
    """The names in a field such as `x,y,theta`."""
    return [name.strip() for name in text.split(",") if name.strip()]


def renamed(fields: BaseModel) -> set[str]:
    """The fields that say something else than by default; a file must have what they name."""
    defaults = {name: field.default for name, field in type(fields).model_fields.items()}
    return {name for name, value in fields if value != defaults[name]}
