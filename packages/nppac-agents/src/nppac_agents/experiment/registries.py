"""The registries that an experiment file draws on, and its fields of any registered kind."""

from __future__ import annotations

import functools
import json
from typing import Annotated

from nppac_envs.config import EnvConfig
from nppac_priors.registry import ByKind, Registry, prior_registry
from pydantic import SerializeAsAny

from nppac_agents.loggers.registry import logger_registry
from nppac_agents.methods.base import Method

_HOW = "docs/write-an-agent.md says how"
_GONE = {
    "nppac_agents.acting": f"a method's act says how it acts; {_HOW}",
    "nppac_agents.algorithms": f"methods are in nppac_agents.methods now; {_HOW}",
    "nppac_agents.config": f"derive from nppac_agents.Method; {_HOW}",
    "nppac_agents.experience": f"it is in nppac_agents.data now; {_HOW}",
    "nppac_agents.learners": f"a method's update is what learns now; {_HOW}",
    "nppac_agents.learning": f"it is in nppac_agents.parts now; {_HOW}",
}
"""Modules that plugins for earlier versions import, and what took their place"""


@functools.cache
def agent_registry() -> Registry:
    """The agents of this package and of the installed plugins (group `nppac.agents`)."""
    return Registry.of("nppac_agents", Method, gone=_GONE)


@functools.cache
def env_registry() -> Registry:
    """The environments of nppac-envs and of the installed plugins (group `nppac.envs`)."""
    registry = Registry.of("nppac_envs", EnvConfig)
    registry.hint = _gymnasium_hint
    return registry


def _gymnasium_hint(kind: str) -> str:
    from nppac_envs.foreign.importing import may_be_registered

    if not may_be_registered(kind):
        return ""
    return f"; if that is Gymnasium's, write {json.dumps({'kind': 'gymnasium', 'id': kind})}"


def registries() -> tuple[Registry, ...]:
    """Environments, priors, agents and loggers, in the order in which a run meets them."""
    return env_registry(), prior_registry(), agent_registry(), logger_registry()


EnvField = Annotated[SerializeAsAny[EnvConfig], ByKind(env_registry)]
AgentField = Annotated[SerializeAsAny[Method], ByKind(agent_registry)]
