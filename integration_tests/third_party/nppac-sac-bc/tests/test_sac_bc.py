from __future__ import annotations

from nppac_agents.testing import MethodConformance
from nppac_sac_bc.plugin import SACBC


class TestConformance(MethodConformance):
    method = SACBC(policy_hidden=(16,), critic_hidden=(16,))
