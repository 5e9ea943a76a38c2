"""The registry of loggers, and the field of an experiment that names some."""

from __future__ import annotations

import functools
from typing import Annotated

from nppac_priors.plugin_loading import Hook
from nppac_priors.registry import ByKind, Registry
from pydantic import SerializeAsAny

from nppac_agents.loggers import hookspecs, plugin
from nppac_agents.loggers.logger import LoggerConfig


@functools.cache
def logger_registry() -> Registry:
    """The loggers of this package and of the installed plugins (group `nppac.loggers`)."""
    hook = Hook(hookspecs.PROJECT, hookspecs, "nppac_logger_configs", LoggerConfig)
    return Registry.collect("logger", hook, plugin, "nppac-agents")


LoggerField = Annotated[SerializeAsAny[LoggerConfig], ByKind(logger_registry)]
