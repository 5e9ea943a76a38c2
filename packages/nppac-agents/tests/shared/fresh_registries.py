"""The registries as a new process finds them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nppac_agents.experiment.registries import agent_registry, env_registry
from nppac_agents.loggers.registry import logger_registry
from nppac_agents.studies.registry import executor_registry
from nppac_priors.registry import prior_registry

REGISTRIES = (env_registry, prior_registry, agent_registry, logger_registry, executor_registry)


@contextlib.contextmanager
def fresh_registries() -> Iterator[None]:
    """Inside, they hold what is installed now; what they find there is forgotten afterwards."""
    _forget()
    try:
        yield
    finally:
        _forget()


def _forget() -> None:
    for registry in REGISTRIES:
        registry.cache_clear()
