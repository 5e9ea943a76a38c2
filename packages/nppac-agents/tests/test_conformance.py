"""Every built-in method passes the kit that authors of methods use."""

from __future__ import annotations

import pytest
from nppac_agents import (
    ABM,
    AWAC,
    AWR,
    BC,
    BCQ,
    BEAR,
    BRAC,
    CQL,
    CRR,
    DAPG,
    IQL,
    MBOP,
    MOPO,
    MPO,
    NPPAC,
    RLPD,
    SAC,
    SACBC,
    TD3BC,
    WSRL,
    BRACPlus,
    CalQL,
    SACfD,
)
from nppac_agents.experiment.registries import agent_registry
from nppac_agents.testing import MethodConformance

pytestmark = pytest.mark.medium

SMALL = {"policy_hidden": (16,), "batch_size": 32}
CRITICS = SMALL | {"critic_hidden": (16,)}


class TestABM(MethodConformance):
    method = ABM(**CRITICS, samples=4, target_period=2, offline_updates=3)


class TestAWAC(MethodConformance):
    method = AWAC(**CRITICS, offline_updates=3)


class TestAWR(MethodConformance):
    method = AWR(**CRITICS, steps_per_update=60, critic_updates=2, policy_updates=3)


class TestBC(MethodConformance):
    method = BC(**SMALL, updates=3)


class TestBCQ(MethodConformance):
    method = BCQ(**CRITICS, offline_updates=3, behaviour_hidden=(16,))


class TestBEAR(MethodConformance):
    method = BEAR(**CRITICS, offline_updates=3, behaviour_hidden=(16,))


class TestBRAC(MethodConformance):
    method = BRAC(**CRITICS, behaviour_updates=3, offline_updates=3, warmup_updates=1)


class TestBRACPlus(MethodConformance):
    method = BRACPlus(
        **CRITICS, behaviour_hidden=(16,), behaviour_updates=3, start_updates=2, offline_updates=3
    )


class TestCalQL(MethodConformance):
    method = CalQL(**CRITICS, offline_updates=3, conservative_samples=2)


class TestCQL(MethodConformance):
    method = CQL(**CRITICS, offline_updates=3, conservative_samples=2)


class TestCRR(MethodConformance):
    method = CRR(**CRITICS, offline_updates=3)


class TestDAPG(MethodConformance):
    method = DAPG(**SMALL, cloning_epochs=1, steps_per_update=60)


class TestIQL(MethodConformance):
    method = IQL(**CRITICS, offline_updates=3, value_hidden=(16,))


class TestMBOP(MethodConformance):
    method = MBOP(
        **SMALL, value_hidden=(16,), model_hidden=(16,), model_updates=3, offline_updates=3,
        horizon=3, trajectories=10,
    )  # fmt: skip


class TestMOPO(MethodConformance):
    method = MOPO(**CRITICS, model_updates=3, model_hidden=(16,), offline_updates=3, kept_updates=3)


class TestMPO(MethodConformance):
    method = MPO(**CRITICS, samples=4, target_period=2)


class TestNPPAC(MethodConformance):
    method = NPPAC(**CRITICS, rollout_steps=20, critic_warmup_updates=2)


class TestRLPD(MethodConformance):
    method = RLPD(**CRITICS, n_critics=4, critic_updates_per_actor_update=2)


class TestSAC(MethodConformance):
    method = SAC(**CRITICS)


class TestSACBC(MethodConformance):
    method = SACBC(**CRITICS)


class TestSACfD(MethodConformance):
    method = SACfD(**CRITICS)


class TestTD3BC(MethodConformance):
    method = TD3BC(**CRITICS, offline_updates=3)


class TestWSRL(MethodConformance):
    method = WSRL(**CRITICS, offline_updates=3, n_critics=3, conservative_samples=2)


def test_every_builtin_method_is_tested_here():
    builtin = {
        kind
        for kind, component in agent_registry().components.items()
        if component.distribution == "nppac-agents"
    }
    tested = {cls.method.kind for cls in MethodConformance.__subclasses__()}
    assert builtin <= tested
