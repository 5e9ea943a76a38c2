"""`env_config`: the config class of an environment by its kind, built-in or of a plugin."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from nppac_envs.config import EnvConfig
from nppac_envs.errors import ConfigError
from nppac_envs.faults import let_interruption_pass
from nppac_envs.hookspecs import PROJECT

_LOG = logging.getLogger(__name__)

LEAVE_OUT_VARIABLE = "NPPAC_WITHOUT_PLUGINS"
"""Comma-separated distributions whose plugins are not to be imported."""


def env_config(kind: str, settings: Mapping[str, Any] | None = None) -> EnvConfig:
    """The config of the environment `kind` with some settings.

    Raises:
        ConfigError: Nobody offers the kind, or a setting does not fit it.
    """
    known: dict[str, type[EnvConfig]] = {}
    for cls in _classes():
        known.setdefault(cls.model_fields["kind"].default, cls)
        if kind in known:
            break
    else:
        raise ConfigError(
            f"environment {kind!r} is unknown; there are {', '.join(map(repr, sorted(known)))}"
        )
    try:
        return known[kind].model_validate({"kind": kind, **(settings or {})})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"environment {kind}: {name}: {first['msg']}") from error


def setting(text: str) -> tuple[str, Any]:
    """`NAME=VALUE` with a JSON value, or else a string.

    Raises:
        ConfigError: It does not read so.
    """
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise ConfigError(f"{text!r} has to read NAME=VALUE")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def _classes() -> Iterator[type[EnvConfig]]:
    """The built-in classes, then those of installed plugins that load."""
    from nppac_envs import plugin

    yield from plugin.nppac_env_configs()
    for entry in entry_points(group=PROJECT):
        if entry.dist is not None and _normalised(entry.dist.name) in _left_out():
            continue
        try:
            with contextlib.redirect_stdout(sys.stderr):
                classes = list(entry.load().nppac_env_configs())
        except (Exception, SystemExit) as error:  # one that is broken must not cost the others
            let_interruption_pass(error)
            _LOG.warning("the plugin %s offers no environments: it fails to load", entry.name)
        else:
            yield from classes


def _left_out() -> set[str]:
    return {_normalised(name) for name in os.environ.get(LEAVE_OUT_VARIABLE, "").split(",")}


def _normalised(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()
