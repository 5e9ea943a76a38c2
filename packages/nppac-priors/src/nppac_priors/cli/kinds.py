"""What kinds of components there are, and the fields of one: for every command that lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nppac_priors.cli.tables import table

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from nppac_priors.registry import Registry


def kind_rows(registry: Registry) -> list[dict[str, str]]:
    """A row a kind: where it comes from, and the first line of its docstring."""
    return [
        {
            "kind": component.kind,
            "distribution": component.distribution,
            "version": component.version,
            "what": (component.cls.__doc__ or "").strip().partition("\n")[0],
        }
        for component in registry.components.values()
    ]


def field_rows(config: type[BaseModel]) -> list[dict[str, str]]:
    """A row a field of a kind."""
    return [
        {
            "field": name,
            "default": _default(field),
            "meaning": " ".join((field.description or "").split()),
        }
        for name, field in config.model_fields.items()
        if name != "kind"
    ]


def print_rows(rows: Sequence[Mapping[str, str]], *, as_json: bool) -> None:
    """As a JSON array, or as a table under the names of the columns."""
    if as_json:
        print(json.dumps(rows, indent=2))
    elif rows:
        print(table([list(rows[0]), *(list(row.values()) for row in rows)], width=80))
    else:
        print("it has no fields but its kind")


def print_missing(registries: Sequence[Registry]) -> None:
    """A line for each kind that several plugins claim, and each plugin that is not loaded."""
    for registry in registries:
        for kind in registry.conflicts:
            print(registry.conflict(kind))
        for plugin in (*registry.broken, *registry.left_out):
            print(f"{plugin.distribution} {plugin.version}: {plugin.reason}")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return json.dumps(field.get_default(call_default_factory=True), default=str)
