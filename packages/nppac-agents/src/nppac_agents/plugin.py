"""The methods of this package, through the same hook as everybody else's."""

from __future__ import annotations

from nppac_agents.hookspecs import hookimpl
from nppac_agents.methods.awac import AWAC
from nppac_agents.methods.bc import BC
from nppac_agents.methods.dapg import DAPG
from nppac_agents.methods.iql import IQL
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.methods.rlpd import RLPD
from nppac_agents.methods.sac import SAC
from nppac_agents.methods.sacfd import SACfD


@hookimpl
def nppac_agent_configs() -> list[type]:
    """The built-in methods."""
    return [AWAC, BC, DAPG, IQL, NPPAC, RLPD, SAC, SACfD]
