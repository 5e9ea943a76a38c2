"""The reference as Markdown, from the code: configuration, commands, and the Python API."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_COMMANDS = {
    "nppac-run": "nppac_agents",
    "nppac-prior": "nppac_priors",
    "nppac-demos": "nppac_envs",
}


def write_pages(folder: Path) -> None:
    """Write `configuration.md`, `commands.md` and `api.md` where they have changed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("configuration", configuration()),
        ("commands", commands()),
        ("api", api()),
    ):
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def configuration() -> str:
    """Every field of experiment and study files, from the schemas of what is built in."""
    from nppac_agents.experiment.schema import schema_text
    from nppac_agents.studies.config import StudyConfig

    schema = json.loads(schema_text())
    fields = schema["properties"]
    parts = [
        "# Configuration",
        "An experiment is one JSON file. `nppac-run schema` prints its schema, with the kinds of "
        "installed plugins, and `nppac-run validate FILE` checks one. Where the default is *its "
        "own*, an object that is left out has the defaults of its fields.",
        "## The experiment",
        _table(schema, schema),
    ]
    for name in ("training", "evaluation", "logging"):
        parts += [f"## `{name}`", *_model(schema, fields[name]["$ref"].rpartition("/")[2])]
    for name, field in (("env", "Env"), ("prior", "Prior"), ("agent", "Agent")):
        parts += [f"## `{name}`", *_kinds(schema, schema["$defs"][field], "kind")]
    parts += ["## `demonstrations`", *_kinds(schema, fields["demonstrations"]["else"], "source")]
    study = json.loads(schema_text(StudyConfig, "study"))
    parts += ["## A study", "[Studies](../studies.md) explain what it does.", _table(study, study)]
    parts += ["## `executor`", *_kinds(study, study["$defs"]["Executor"], "kind")]
    parts += ["## `tuning`", *_model(study, "TuningConfig")]
    return "\n\n".join(parts) + "\n"


def commands() -> str:
    """What `--help` of every command says."""
    parts = ["# Commands"]
    for program, package in _COMMANDS.items():
        parse = importlib.import_module(f"{package}.cli.arguments").parse
        whole = _help(parse, [])
        parts += [f"## `{program}`", _block(whole)]
        for name in _names(whole):
            parts += [f"### `{program} {name}`", _block(_help(parse, [name]))]
    return "\n\n".join(parts) + "\n"


def api() -> str:
    """The public names of the three packages, by what their docstrings say."""
    parts = [
        "# Python",
        "Public names of the packages, imported from the package itself. The fields of a "
        "config are in [configuration](configuration.md).",
    ]
    for package in ("nppac_priors", "nppac_envs", "nppac_agents"):
        module = importlib.import_module(package)
        parts += [f"## `{package}`", inspect.getdoc(module) or ""]
        names = sorted((n for n in dir(module) if not n.startswith("_")), key=str.lower)
        for name in names:
            value = getattr(module, name)
            ours = getattr(value, "__module__", "").startswith("nppac_")
            if ours and (inspect.isclass(value) or inspect.isfunction(value)):
                parts.append(_documented(f"{package}.{name}", value))
    return "\n\n".join(parts) + "\n"


def _model(schema: Schema, name: str) -> Iterator[str]:
    model = schema["$defs"][name]
    yield model.get("description", "")
    yield _table(schema, model)


def _kinds(schema: Schema, union: Schema, field: str) -> Iterator[str]:
    for condition in union["allOf"]:
        value = condition["if"]["properties"][field]["const"]
        yield f"### `{value}`"
        yield from _model(schema, condition["then"]["$ref"].rpartition("/")[2])


def _table(schema: Schema, model: Schema) -> str:
    rows = ["| field | type | default | meaning |", "| --- | --- | --- | --- |"]
    required = model.get("required", ())
    for name, field in model.get("properties", {}).items():
        if name in ("kind", "source"):
            continue
        default = f"`{json.dumps(field['default'])}`" if "default" in field else "its own"
        if len(default) > 60:
            default = "its own"
        if name in required:
            default = "needed"
        meaning = field.get("description", "").replace("|", "\\|").replace("\n", " ")
        if name == "fields":
            names = schema["$defs"][field["$ref"].rpartition("/")[2]]["properties"]
            meaning += f" Its fields: {', '.join(f'`{one}`' for one in names)}."
        rows.append(f"| `{name}` | {_type(field)} | {default} | {meaning} |")
    return "\n".join(rows) if len(rows) > 2 else "No fields."


def _type(field: Schema) -> str:
    """A field's type and bounds in a few words."""
    if "else" in field:
        return f"{_type(field['else'])} or null"
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}" if "items" in field else "list"
    bounds = [f"{sign} {_number(field[key])}" for key, sign in _BOUNDS.items() if key in field]
    return " ".join([field.get("type", "object"), ", ".join(bounds)]).strip()


def _number(value: float) -> str:
    return f"{value:,}" if value >= 10_000 else f"{value:g}"


def _help(parse: Callable[[list[str]], Any], words: list[str]) -> str:
    """What a command prints for `--help`, at 80 columns.

    Raises:
        ValueError: It is no command.
    """
    out, columns = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with contextlib.redirect_stdout(out):
            parse([*words, "--help"])
    except SystemExit as stop:
        if stop.code:
            raise ValueError(f"{' '.join(words)}: is no command") from None
    finally:
        os.environ.pop("COLUMNS")
        if columns is not None:
            os.environ["COLUMNS"] = columns
    return out.getvalue()


def _names(text: str) -> list[str]:
    """The commands that a program's help lists, in its order."""
    _, _, listed = text.partition("\ncommands")
    found = re.findall(r"^ {2,4}([a-z-]+)\b", listed.partition(":\n")[2].split("\n\n")[0], re.M)
    return list(dict.fromkeys(found))


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def _documented(path: str, value: Any) -> str:
    """An entry for autodoc; of a config that is no base of others its fields say all."""
    lines = ["```{eval-rst}"]
    if inspect.isfunction(value):
        lines.append(f".. autofunction:: {path}")
    else:
        lines.append(f".. autoclass:: {path}")
        made = hasattr(value, "model_fields") or issubclass(value, tuple)
        if not made or inspect.isabstract(value):
            lines.append("   :members:")
        if made:
            lines.append("   :exclude-members: __init__, __new__")
    return "\n".join([*lines, "```"])
