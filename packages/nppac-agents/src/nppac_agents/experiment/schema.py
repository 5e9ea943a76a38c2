"""The JSON schema of experiment files, for editors and for checks without this package."""

from __future__ import annotations

import json

from nppac_agents.experiment.config import ExperimentConfig


def schema_text() -> str:
    """The schema with the kinds of all loaded plugins, as a JSON document.

    Each of `env`, `prior` and `agent` is a union discriminated by `kind`; `NPPAC_PLUGINS=""` in
    the process's environment leaves the built-in kinds only.
    """
    schema = ExperimentConfig.model_json_schema(by_alias=True)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "nppac experiment",
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
