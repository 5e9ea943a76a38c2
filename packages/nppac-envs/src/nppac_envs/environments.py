"""`env_config`: the config class of an environment by its kind, built-in or of a plugin."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from nppac_envs.config import EnvConfig
from nppac_envs.errors import ConfigError
from nppac_envs.hookspecs import PROJECT

_LOG = logging.getLogger(__name__)


def env_config(kind: str, settings: Mapping[str, Any] | None = None) -> EnvConfig:
    """The config of the environment `kind` with some settings.

    Raises:
        ConfigError: Nobody offers the kind, or a setting does not fit it.
    """
    known: dict[str, type[EnvConfig]] = {}
    for cls in _classes():
        known.setdefault(cls.model_fields["kind"].default, cls)
    if kind not in known:
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
        try:
            yield from entry.load().nppac_env_configs()
        except Exception:  # a plugin that is broken must not cost the others
            _LOG.warning("the plugin %s offers no environments: it fails to load", entry.name)
