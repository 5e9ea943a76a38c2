"""The contract of loggers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from nppac_priors.config import ComponentConfig
from nppac_priors.plugin_origin import broken_contract, described

POSITION = ("event", "phase", "env_steps", "updates", "wall_seconds")
"""Fields that every event has: what it is, and where in the run."""


class Logger(Protocol):
    """What is told the events of one run, in their order.

    After a resume a new one is opened for the same run, and hears what came after the checkpoint
    again.
    """

    def write(self, event: Mapping[str, Any]) -> None:
        """One event, as `metrics.jsonl` has it: `POSITION`, then numbers, null or JSON data."""

    def close(self) -> None:
        """The run ends, or is interrupted."""


class LoggerConfig(ComponentConfig, ABC):
    """Settings of a logger, and the factory that opens one; importing it loads no torch."""

    def require(self) -> None:
        """Looks, before anything runs, whether it can be opened here; nothing to look for.

        Raises:
            ConfigError: it cannot, as where a library is not installed.
        """

    @abstractmethod
    def open(self, run_dir: Path) -> Logger:
        """A logger for the run in a directory, which is there."""


def opened(config: LoggerConfig, run_dir: Path) -> Logger:
    """What a config opens.

    Raises:
        PluginFaultError, ContractError: It is no logger.
    """
    logger = config.open(run_dir)
    if not all(callable(getattr(logger, name, None)) for name in ("write", "close")):
        raise broken_contract(
            config, "logger", f"open() returned {described(logger)}, has to have write and close"
        )
    return logger
