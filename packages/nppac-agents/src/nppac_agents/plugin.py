"""The methods of this package, through the same hook as everybody else's."""

from __future__ import annotations

import importlib

from nppac_agents.hookspecs import hookimpl

METHODS = {
    "AWAC": "nppac_agents.methods.awac",
    "BC": "nppac_agents.methods.bc",
    "BEAR": "nppac_agents.methods.bear",
    "DAPG": "nppac_agents.methods.dapg",
    "IQL": "nppac_agents.methods.iql",
    "NPPAC": "nppac_agents.methods.nppac",
    "RLPD": "nppac_agents.methods.rlpd",
    "SAC": "nppac_agents.methods.sac",
    "SACfD": "nppac_agents.methods.sacfd",
}
"""Each class and its module; they are public names of ``nppac_agents`` too"""


@hookimpl
def nppac_agent_configs() -> list[type]:
    """The built-in methods."""
    return [getattr(importlib.import_module(module), name) for name, module in METHODS.items()]
