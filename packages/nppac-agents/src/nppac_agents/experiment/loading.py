"""From a JSON file and command-line overrides to a validated `ExperimentConfig`.

Relative paths in an experiment file, of data and of `output_dir`, are relative to the directory
that the command is started in, like every path on a command line; nothing here rewrites them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nppac_priors.config import error_lines
from nppac_priors.errors import ConfigError
from nppac_priors.strict_json import NotJsonError, parse_json, read_json
from pydantic import ValidationError

from nppac_agents.experiment.config import ExperimentConfig


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Read an experiment file, apply overrides, validate, and fill in `output_dir`.

    Args:
        path: JSON file; its stem replaces `{name}` in `output_dir`.
        overrides: `dotted.path=value` each, applied in order; a value that is no JSON is a string.

    Raises:
        ConfigError: the file cannot be read or does not validate; the message has one line for
            each problem, with the file, the field, what is allowed and what was given.
        PluginError: two plugins provide one kind, or one fails under `NPPAC_STRICT_PLUGINS=1`.
    """
    path = Path(path)
    try:
        data = read_object(path)
        if "experiments" in data:
            raise ConfigError(
                f"{path}: is a study; nppac-run sweep runs it, and checks it with --dry-run"
            )
        for override in overrides:
            _apply(data, override)
    except ConfigError as error:
        raise ConfigError(_printable(str(error))) from None
    where = f"{path} with {' '.join(overrides)}" if overrides else str(path)
    return experiment_of(data, where=where, name=path.stem)


def experiment_of(data: dict[str, Any], *, where: str, name: str) -> ExperimentConfig:
    """The experiment that a JSON object describes, with `output_dir` filled in.

    Args:
        data: the object.
        where: what it is from, for messages.
        name: replaces `{name}` in `output_dir`.

    Raises:
        ConfigError: it does not validate; as for `load_experiment`.
    """
    try:
        config = ExperimentConfig.model_validate(data)
        output_dir = _output_dir(config.output_dir, name=name, seed=config.seed)
    except ValidationError as error:
        tag = _source_tag(data)
        lines = [f"{where}: {line.replace(*tag, 1)}" for line in error_lines(error)]
        raise ConfigError("\n".join(map(_printable, lines))) from None
    except ConfigError as error:
        raise ConfigError(_printable(f"{where}: {error}")) from None
    converted = list(_conversions(data, config.model_dump(mode="json", by_alias=True), ""))
    if converted:
        raise ConfigError("\n".join(_printable(f"{where}: {line}") for line in converted))
    return config.model_copy(update={"output_dir": output_dir})


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ConfigError: the file cannot be read, or holds no object.
    """
    data = read_json(path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: has to hold a JSON object, got {_type_name(data)}")
    return data


def _apply(data: dict[str, Any], override: str) -> None:
    """Set one value in `data`, making the objects on the way to it."""
    dotted, equals, text = override.partition("=")
    if not equals or not all(dotted.split(".")):
        raise ConfigError(f"--set {override}: has to read path.to.field=value")
    try:
        set_field(data, dotted, _value(text))
    except ConfigError as error:
        raise ConfigError(f"--set {override}: {error}") from None


def set_field(data: dict[str, Any], dotted: str, value: Any) -> None:
    """Set the field with a dotted path in `data`, making the objects on the way to it.

    Raises:
        ConfigError: something on the way is no object.
    """
    keys = dotted.split(".")
    target = data
    for depth, key in enumerate(keys[:-1], start=1):
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            raise ConfigError(
                f"{'.'.join(keys[:depth])} is {_type_name(target)}, not an object with fields; "
                "set it as a whole"
            )
    target[keys[-1]] = value


def _value(text: str) -> Any:
    try:
        return parse_json(text)
    except NotJsonError:
        if any(0xD800 <= ord(c) < 0xE000 for c in text):
            raise ConfigError("is not UTF-8 text") from None
        return text


def _source_tag(data: dict[str, Any]) -> tuple[str, str]:
    """What pydantic makes of the path of demonstrations, a tagged union, and what it should be."""
    demonstrations = data.get("demonstrations")
    source = demonstrations.get("source") if isinstance(demonstrations, dict) else None
    return f"demonstrations.{source}", "demonstrations"


def _conversions(given: Any, read: Any, path: str) -> Iterator[str]:
    """A line for each word or truth value that was taken for a number, or the reverse."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key in given.keys() & read.keys():
            yield from _conversions(given[key], read[key], f"{path}.{key}" if path else key)
    elif isinstance(given, list) and isinstance(read, list):
        for index, pair in enumerate(zip(given, read, strict=False)):
            yield from _conversions(*pair, f"{path}[{index}]")
    elif isinstance(read, int | float) and (
        isinstance(given, str)
        or (isinstance(given, int | float) and isinstance(given, bool) != isinstance(read, bool))
    ):
        words = json.dumps(given), json.dumps(read)
        yield f"{path}: {words[0]} is not the same as {words[1]}; write {words[1]}"


def _printable(text: str) -> str:
    """The text with escapes for line breaks and control characters, which a field may contain."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _output_dir(pattern: str, **values: object) -> str:
    """The run directory; filled in and expanded again it is the same, as `config.json` needs."""
    path = os.path.expanduser(_fill_in(pattern, **values))
    if path.startswith("~"):
        raise ConfigError(f"output_dir: there is no user {Path(path).parts[0]!r}")
    if "{" in path or "}" in path:
        raise ConfigError(
            f"output_dir: '{{' and '}}' may stand in {{name}} and {{seed}} only, not in {path!r}"
        )
    if "\0" in path or any(0xD800 <= ord(c) < 0xE000 for c in path):
        raise ConfigError(f"output_dir: {path!r} cannot be the name of a folder")
    return path


def _fill_in(output_dir: str, **values: object) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise ConfigError(
                f"output_dir: unknown placeholder {match[0]!r}; known: "
                + ", ".join(f"{{{known}}}" for known in values)
            )
        return str(values[name])

    return re.sub(r"\{(.*?)\}", value, output_dir)


def _type_name(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
