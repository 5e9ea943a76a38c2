"""The registry of executors."""

from __future__ import annotations

import functools

from nppac_priors.plugin_loading import Hook
from nppac_priors.registry import Registry

from nppac_agents.studies import hookspecs, plugin
from nppac_agents.studies.executor import Executor


@functools.cache
def executor_registry() -> Registry:
    """The executors of this package and of the installed plugins (group `nppac.executors`)."""
    hook = Hook(hookspecs.PROJECT, hookspecs, "nppac_executor_configs", Executor)
    return Registry.collect("executor", hook, plugin, "nppac-agents")
