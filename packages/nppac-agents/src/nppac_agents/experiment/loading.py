"""From a JSON file and command-line overrides to a validated `ExperimentConfig`.

Relative paths in an experiment file, of data and of `output_dir`, are relative to the directory
that the command is started in, like every path on a command line; nothing here rewrites them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nppac_priors.config import error_lines
from nppac_priors.errors import ConfigError
from pydantic import ValidationError

from nppac_agents.experiment.config import ExperimentConfig


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> ExperimentConfig:
    """Reads an experiment file, applies overrides, validates, and fills in `output_dir`.

    Args:
        path: JSON file; its stem replaces `{name}` in `output_dir`.
        overrides: `dotted.path=value` each, applied in order; a value that is no JSON is a string.

    Raises:
        ConfigError: the file cannot be read or does not validate; the message has one line for
            each problem, with the file, the field, what is allowed and what was given.
        PluginError: two plugins provide one kind, or one fails under `NPPAC_STRICT_PLUGINS=1`.
    """
    path = Path(path)
    data = _read_object(path)
    for override in overrides:
        _apply(data, override)
    where = f"{path} with {' '.join(overrides)}" if overrides else str(path)
    try:
        config = ExperimentConfig.model_validate(data)
        output_dir = _fill_in(config.output_dir, name=path.stem, seed=config.seed)
    except ValidationError as error:
        tag = _source_tag(data)
        lines = [f"{where}: {line.replace(*tag, 1)}" for line in error_lines(error)]
        raise ConfigError("\n".join(map(_printable, lines))) from None
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return config.model_copy(update={"output_dir": output_dir})


def _read_object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(
            path.read_text(encoding="utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
        )
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file in {Path.cwd()}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: byte {error.start}: {error.reason}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise ConfigError(f"{path}: not JSON: nested too deeply") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: has to hold a JSON object, got {_type_name(data)}")
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise ConfigError(f"field {key!r} is given twice in one object; keep one")
        data[key] = value
    return data


def _refuse_constant(name: str) -> None:
    raise ConfigError(f"{name} is not JSON; numbers have to be finite")


def _apply(data: dict[str, Any], override: str) -> None:
    """Sets one value in `data`, making the objects on the way to it."""
    dotted, equals, text = override.partition("=")
    keys = dotted.split(".")
    if not equals or not all(keys):
        raise ConfigError(f"--set {override}: has to read path.to.field=value")
    target = data
    for depth, key in enumerate(keys[:-1], start=1):
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            raise ConfigError(
                f"--set {override}: {'.'.join(keys[:depth])} is {_type_name(target)}, not an "
                "object with fields; set it as a whole"
            )
    target[keys[-1]] = _value(text, override)


def _value(text: str, override: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError):
        return text
    except ConfigError as error:
        raise ConfigError(f"--set {override}: {error}") from None


def _source_tag(data: dict[str, Any]) -> tuple[str, str]:
    """What pydantic makes of the path of demonstrations, a tagged union, and what it should be."""
    demonstrations = data.get("demonstrations")
    source = demonstrations.get("source") if isinstance(demonstrations, dict) else None
    return f"demonstrations.{source}", "demonstrations"


def _printable(text: str) -> str:
    """The text with escapes for line breaks and control characters, which a field may contain."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


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
