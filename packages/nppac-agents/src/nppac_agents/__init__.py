"""KL-regularised reinforcement learning from demonstrations; public names load when first used."""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nppac_agents.agent import Agent as Agent
    from nppac_agents.algorithms.awac import AWACConfig as AWACConfig
    from nppac_agents.algorithms.bc import BCConfig as BCConfig
    from nppac_agents.algorithms.dapg import DAPGConfig as DAPGConfig
    from nppac_agents.algorithms.nppac import NPPACConfig as NPPACConfig
    from nppac_agents.algorithms.rlpd import RLPDConfig as RLPDConfig
    from nppac_agents.algorithms.sac import SACConfig as SACConfig
    from nppac_agents.algorithms.sacfd import SACfDConfig as SACfDConfig
    from nppac_agents.config import AgentConfig as AgentConfig
    from nppac_agents.config import Spaces as Spaces
    from nppac_agents.experience.observed_prior import ObservedPrior as ObservedPrior
    from nppac_agents.experience.replay import TensorReplay as TensorReplay
    from nppac_agents.experience.transitions import Transitions as Transitions
    from nppac_agents.experiment.config import ExperimentConfig as ExperimentConfig
    from nppac_agents.experiment.loading import load_experiment as load_experiment
    from nppac_agents.hookspecs import hookimpl as hookimpl
    from nppac_agents.learners.actor_critic import ActorCritic as ActorCritic
    from nppac_agents.phase import Phase as Phase

_HOMES = {
    "AWACConfig": "algorithms.awac",
    "ActorCritic": "learners.actor_critic",
    "Agent": "agent",
    "AgentConfig": "config",
    "BCConfig": "algorithms.bc",
    "DAPGConfig": "algorithms.dapg",
    "ExperimentConfig": "experiment.config",
    "NPPACConfig": "algorithms.nppac",
    "ObservedPrior": "experience.observed_prior",
    "Phase": "phase",
    "RLPDConfig": "algorithms.rlpd",
    "SACConfig": "algorithms.sac",
    "SACfDConfig": "algorithms.sacfd",
    "Spaces": "config",
    "TensorReplay": "experience.replay",
    "Transitions": "experience.transitions",
    "hookimpl": "hookspecs",
    "load_experiment": "experiment.loading",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.metadata.version("nppac-agents")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, "__version__"])
