"""The agents of this package, through the same hook as everybody else's."""

from __future__ import annotations

from nppac_agents.algorithms.awac import AWACConfig
from nppac_agents.algorithms.bc import BCConfig
from nppac_agents.algorithms.dapg import DAPGConfig
from nppac_agents.algorithms.nppac import NPPACConfig
from nppac_agents.algorithms.rlpd import RLPDConfig
from nppac_agents.algorithms.sac import SACConfig
from nppac_agents.algorithms.sacfd import SACfDConfig
from nppac_agents.hookspecs import hookimpl


@hookimpl
def nppac_agent_configs() -> list[type]:
    """The built-in agents."""
    return [AWACConfig, BCConfig, DAPGConfig, NPPACConfig, RLPDConfig, SACConfig, SACfDConfig]
