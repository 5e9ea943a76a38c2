"""The methods of this package, through the same hook as everybody else's."""

from __future__ import annotations

import importlib

from nppac_agents.hookspecs import hookimpl

METHODS = {
    ".methods.abm": "ABM",
    ".methods.awac": "AWAC",
    ".methods.awr": "AWR",
    ".methods.bc": "BC",
    ".methods.bcq": "BCQ",
    ".methods.bear": "BEAR",
    ".methods.brac": "BRAC",
    ".methods.brac_plus": "BRACPlus",
    ".methods.cal_ql": "CalQL",
    ".methods.cql": "CQL",
    ".methods.crr": "CRR",
    ".methods.dapg": "DAPG",
    ".methods.iql": "IQL",
    ".methods.mbop": "MBOP",
    ".methods.mopo": "MOPO",
    ".methods.mpo": "MPO",
    ".methods.nppac": "NPPAC",
    ".methods.rlpd": "RLPD",
    ".methods.sac": "SAC",
    ".methods.sac_bc": "SACBC",
    ".methods.sacfd": "SACfD",
    ".methods.td3_bc": "TD3BC",
    ".methods.wsrl": "WSRL",
}
"""Each module and its class; they are public names of `nppac_agents` too"""


@hookimpl
def nppac_agent_configs() -> list[type]:
    """The built-in methods."""
    modules = ((importlib.import_module(m, __package__), name) for m, name in METHODS.items())
    return [getattr(module, name) for module, name in modules]
