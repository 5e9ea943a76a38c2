"""From a file and the options of a command to a study; a plain experiment is a study of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nppac_priors.config import error_lines
from nppac_priors.errors import ConfigError
from nppac_priors.strict_json import NotJsonError, parse_json
from pydantic import ValidationError

from nppac_agents.experiment.loading import read_object
from nppac_agents.studies.config import StudyConfig


def load_study(path: Path, options: Mapping[str, Any]) -> StudyConfig:
    """Read a study file, or an experiment file as a study of this experiment.

    Args:
        path: JSON file; one with `experiments` is a study.
        options: fields of the study to replace; `grid` and `set` are added to.

    Returns:
        The study with its `output_dir`.

    Raises:
        ConfigError: it cannot be read or does not validate; one line for each problem.
    """
    data = read_object(path)
    if "experiments" not in data:
        data = {"experiments": {path.stem: str(path)}}
    for name, value in options.items():
        added_to = name in ("grid", "set") and isinstance(data.get(name), dict)
        data[name] = {**data[name], **value} if added_to else value
    try:
        study = StudyConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in error_lines(error))) from None
    budget = "" if study.budget is None else f"-{study.budget}"
    folder = study.output_dir or f"runs/{path.stem}{budget}"
    return study.model_copy(update={"output_dir": str(Path(folder).expanduser())})


def axis(text: str) -> tuple[str, list[Any]]:
    """`PATH=VALUE,VALUE...` as a field and its values, each JSON or else a string.

    Raises:
        ConfigError: it does not read so.
    """
    dotted, equals, values = text.partition("=")
    if not equals or not values or not all(dotted.split(".")):
        raise ConfigError(f"--grid {text}: has to read path.to.field=value,value,...")
    try:
        return dotted, parse_json(f"[{values}]")
    except NotJsonError:
        return dotted, [_json_or_text(value) for value in values.split(",")]


def field(text: str) -> tuple[str, Any]:
    """`PATH=VALUE` as a field and its value, JSON or else a string.

    Raises:
        ConfigError: it does not read so.
    """
    dotted, equals, value = text.partition("=")
    if not equals or not all(dotted.split(".")):
        raise ConfigError(f"--set {text}: has to read path.to.field=value")
    return dotted, _json_or_text(value)


def _json_or_text(text: str) -> Any:
    """The JSON value that a text is, or else the text."""
    try:
        return parse_json(text)
    except NotJsonError:
        return text


def seeds(text: str) -> str | list[int]:
    """`0:6`, or `0,3,5`.

    Raises:
        ConfigError: it reads otherwise.
    """
    if re.fullmatch(r"\d+:\d+", text):
        return text
    if re.fullmatch(r"\d+(,\d+)*", text):
        return [int(seed) for seed in text.split(",")]
    raise ConfigError(f"--seeds {text}: has to read FIRST:END, or SEED,SEED,...")


def executor(text: str) -> dict[str, Any]:
    """`KIND`, or `KIND,NAME=VALUE,...`, as the field `executor`.

    Raises:
        ConfigError: it reads otherwise.
    """
    kind, *settings = text.split(",")
    pairs: Sequence[tuple[str, str, str]] = [setting.partition("=") for setting in settings]
    if not kind or not all(name and equals for name, equals, _ in pairs):
        raise ConfigError(f"--executor {text}: has to read KIND, or KIND,NAME=VALUE,...")
    return {"kind": kind, **{name: _json_or_text(value) for name, _, value in pairs}}
