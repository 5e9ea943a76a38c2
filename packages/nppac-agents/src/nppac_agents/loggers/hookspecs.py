"""The hook through which plugins provide loggers."""

from __future__ import annotations

import pluggy

PROJECT = "nppac.loggers"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def nppac_logger_configs() -> list[type]:
    """Return the `LoggerConfig` classes that this plugin provides."""
    raise NotImplementedError
