"""JSON schemas of the files that people write, for editors and for checks without this package."""

from __future__ import annotations

import json

from pydantic import BaseModel

from nppac_agents.experiment.config import ExperimentConfig


def schema_text(model: type[BaseModel] = ExperimentConfig, noun: str = "experiment") -> str:
    """The schema with the kinds of all loaded plugins, as a JSON document.

    Each component is a union discriminated by `kind`; `NPPAC_PLUGINS=""` in the process's
    environment leaves the built-in kinds only.

    Args:
        model: what the file becomes.
        noun: what it is called.
    """
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(by_alias=True),
        "title": f"nppac {noun}",
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
