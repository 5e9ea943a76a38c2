"""KL-regularised reinforcement learning from demonstrations; public names load when first used."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

from nppac_agents.lazy_names import lazy_names
from nppac_agents.plugin import METHODS

if TYPE_CHECKING:
    from nppac_agents.agent import Agent as Agent
    from nppac_agents.data.observed_prior import ObservedPrior as ObservedPrior
    from nppac_agents.data.replay import TensorReplay as TensorReplay
    from nppac_agents.data.transitions import Transitions as Transitions
    from nppac_agents.experiment.config import ExperimentConfig as ExperimentConfig
    from nppac_agents.experiment.loading import load_experiment as load_experiment
    from nppac_agents.hookspecs import hookimpl as hookimpl
    from nppac_agents.methods.abm import ABM as ABM
    from nppac_agents.methods.actor_critic import ActorCritic as ActorCritic
    from nppac_agents.methods.actor_critic import RegularisedActorCritic as RegularisedActorCritic
    from nppac_agents.methods.awac import AWAC as AWAC
    from nppac_agents.methods.awr import AWR as AWR
    from nppac_agents.methods.base import Method as Method
    from nppac_agents.methods.bc import BC as BC
    from nppac_agents.methods.bcq import BCQ as BCQ
    from nppac_agents.methods.bear import BEAR as BEAR
    from nppac_agents.methods.brac import BRAC as BRAC
    from nppac_agents.methods.brac_plus import BRACPlus as BRACPlus
    from nppac_agents.methods.cal_ql import CalQL as CalQL
    from nppac_agents.methods.cql import CQL as CQL
    from nppac_agents.methods.crr import CRR as CRR
    from nppac_agents.methods.dapg import DAPG as DAPG
    from nppac_agents.methods.iql import IQL as IQL
    from nppac_agents.methods.mbop import MBOP as MBOP
    from nppac_agents.methods.mopo import MOPO as MOPO
    from nppac_agents.methods.mpo import MPO as MPO
    from nppac_agents.methods.nppac import NPPAC as NPPAC
    from nppac_agents.methods.offline_first import BehaviourFirst as BehaviourFirst
    from nppac_agents.methods.offline_first import OfflineFirst as OfflineFirst
    from nppac_agents.methods.on_policy import OnPolicy as OnPolicy
    from nppac_agents.methods.rlpd import RLPD as RLPD
    from nppac_agents.methods.sac import SAC as SAC
    from nppac_agents.methods.sac_bc import SACBC as SACBC
    from nppac_agents.methods.sacfd import SACfD as SACfD
    from nppac_agents.methods.td3_bc import TD3BC as TD3BC
    from nppac_agents.methods.wsrl import WSRL as WSRL
    from nppac_agents.phase import ONLINE as ONLINE
    from nppac_agents.phase import Losses as Losses
    from nppac_agents.phase import Phase as Phase
    from nppac_agents.runs import Run as Run
    from nppac_agents.runs import load_run as load_run
    from nppac_agents.runs import run_experiment as run_experiment
    from nppac_agents.spaces import Spaces as Spaces

_load, __dir__ = lazy_names(
    __name__,
    {
        ".agent": "Agent",
        ".data.observed_prior": "ObservedPrior",
        ".data.replay": "TensorReplay",
        ".data.transitions": "Transitions",
        ".experiment.config": "ExperimentConfig",
        ".experiment.loading": "load_experiment",
        ".hookspecs": "hookimpl",
        ".methods.actor_critic": "ActorCritic RegularisedActorCritic",
        ".methods.base": "Method",
        ".methods.offline_first": "BehaviourFirst OfflineFirst",
        ".methods.on_policy": "OnPolicy",
        ".phase": "Losses ONLINE Phase",
        ".runs": "Run load_run run_experiment",
        ".spaces": "Spaces",
        **METHODS,
    },
    gone={
        "AgentConfig": "derive from Method; docs/write-an-agent.md says how",
        "ActorCriticConfig": "derive from ActorCritic; docs/write-an-agent.md says how",
        "SoftActorCriticConfig": "derive from RegularisedActorCritic",
        **{
            f"{name}Config": f"the method is nppac_agents.{name} itself"
            for name in ("AWAC", "BC", "DAPG", "NPPAC", "RLPD", "SAC", "SACfD")
        },
    },
)


def __getattr__(name: str) -> Any:
    return importlib.metadata.version("nppac-agents") if name == "__version__" else _load(name)
