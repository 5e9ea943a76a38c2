"""The errors of this package; every message is one line that says what, where and what to do."""

from __future__ import annotations


class EnvsError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(EnvsError):
    """A setting that cannot be carried out: an unknown name, a machine without a renderer."""


class DataError(EnvsError):
    """Demonstrations that cannot be used: a broken file, wrong shapes, values out of range."""


class FaultyEnvironmentError(EnvsError):
    """An environment that breaks the contract of `EnvConfig.make`, or whose code raised an error.

    Attributes:
        plugin: Distribution and version of the plugin that it is of; None if it is of none.
    """

    def __init__(self, message: str, plugin: str | None = None) -> None:
        """Keep both."""
        super().__init__(message)
        self.plugin = plugin
