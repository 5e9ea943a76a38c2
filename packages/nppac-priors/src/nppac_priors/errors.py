"""The errors that nppac packages raise for a user's mistake or a fault that stops a run.

Every message is one line: what is wrong, where, what is allowed, what to do. Catch `NppacError`
at the outermost place only.
"""

from __future__ import annotations


class NppacError(Exception):
    """Base of all errors of the nppac packages; `str(error)` is one line."""


class ConfigError(NppacError):
    """A configuration that does not validate."""


class DataError(NppacError):
    """Arrays or a data file of the wrong shape, type or range."""


class DeviceError(ConfigError):
    """A device that does not exist here, or that PyTorch cannot use."""


class NumericalError(NppacError):
    """A computation that became non-finite or singular."""


class ContractError(NppacError):
    """A component that returned something else than its contract says."""


class PriorFileError(NppacError):
    """A prior file that is missing, damaged, or of another format or version."""


class PolicyFileError(DataError):
    """An exported policy that is missing, damaged, or of another format or version."""


class PluginError(NppacError):
    """Base of the errors about plugins and the kinds they provide."""


class UnknownKindError(PluginError):
    """A `kind` that no installed plugin provides."""


class DuplicateKindError(PluginError):
    """One `kind` provided by two different classes."""


class PluginLoadError(PluginError):
    """A plugin that failed to load, under `NPPAC_STRICT_PLUGINS=1`."""


class PluginFaultError(PluginError):
    """The code of a plugin failed, or returned something else than its contract says."""
