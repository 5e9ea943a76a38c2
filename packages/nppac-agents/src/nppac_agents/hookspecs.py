"""The hook through which plugins provide agents."""

from __future__ import annotations

import pluggy

PROJECT = "nppac.agents"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def nppac_agent_configs() -> list[type]:
    """Return the `Method` classes that this plugin provides."""
    raise NotImplementedError
