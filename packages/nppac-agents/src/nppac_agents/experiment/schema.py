"""JSON schemas of the files that people write, for editors and for checks without this package."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from nppac_agents.experiment.config import ExperimentConfig


def schema_text(model: type[BaseModel] = ExperimentConfig, noun: str = "experiment") -> str:
    """The schema with the kinds of all loaded plugins, as a JSON document.

    Each component needs its `kind` or `source`, and what that says decides alone which fields are
    checked: an error is at the field that is wrong. `NPPAC_PLUGINS=""` in the process's environment
    leaves the built-in kinds only.

    Args:
        model: what the file becomes.
        noun: what it is called.
    """
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_direct(model.model_json_schema(by_alias=True)),
        "title": f"nppac {noun}",
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _direct(node: Any) -> Any:
    """The same schema with conditions in the place of unions, each field's meaning in one line."""
    if isinstance(node, list):
        return [_direct(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _direct(value) for key, value in node.items()}
    for field in found.get("properties", {}).values():
        if "description" in field:
            field["description"] = " ".join(field["description"].split())
    if "discriminator" in found:
        return _by_kind(found)
    alternatives = found.get("anyOf")
    if alternatives and len(alternatives) == 2 and alternatives[1] == {"type": "null"}:
        del found["anyOf"]
        return {**found, "if": {"type": "null"}, "else": alternatives[0]}
    return found


def _by_kind(union: dict[str, Any]) -> dict[str, Any]:
    """A union that is told apart by one field, as one condition for each of its values."""
    rest = {key: value for key, value in union.items() if key not in ("discriminator", "oneOf")}
    field, mapping = union["discriminator"]["propertyName"], union["discriminator"]["mapping"]
    return {
        **rest,
        "type": "object",
        "properties": {field: {"enum": sorted(mapping)}},
        "required": [field],
        "allOf": [
            {
                "if": {"properties": {field: {"const": value}}, "required": [field]},
                "then": {"$ref": reference},
            }
            for value, reference in sorted(mapping.items())
        ],
    }
