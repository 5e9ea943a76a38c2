"""The agents of this package, through the same hook as everybody else's."""

from __future__ import annotations

from nppac_agents.algorithms.nppac_config import NPPACConfig
from nppac_agents.hookspecs import hookimpl


@hookimpl
def nppac_agent_configs() -> list[type]:
    """The built-in agents."""
    return [NPPACConfig]
