"""What `nppac-prior` and `nppac-run` return to the shell."""

from __future__ import annotations

from enum import IntEnum

from nppac_priors import errors


class ExitCode(IntEnum):
    """Exit codes; scripts may rely on them."""

    DONE = 0
    """The command did what it was asked to."""
    FAILED = 1
    """The command failed: numbers that are not finite, a full disk, an unexpected fault."""
    INVALID = 2
    """The command line, the config, the data or the prior file is invalid."""
    PLUGIN = 3
    """A plugin failed, or two of them provide one kind."""
    INTERRUPTED = 130
    """Interrupted; nothing half-written is left, and `nppac-run --resume` continues."""


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code that tells of an error."""
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, errors.UnknownKindError):
        return ExitCode.INVALID
    if isinstance(error, errors.PluginError):
        return ExitCode.PLUGIN
    if isinstance(error, errors.ConfigError | errors.DataError | errors.PriorFileError):
        return ExitCode.INVALID
    return ExitCode.FAILED
