"""The hook through which plugins provide executors."""

from __future__ import annotations

import pluggy

PROJECT = "nppac.executors"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def nppac_executor_configs() -> list[type]:
    """Return the `Executor` classes that this plugin provides."""
    raise NotImplementedError
