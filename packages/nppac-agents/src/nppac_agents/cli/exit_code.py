"""What `nppac-run` returns to the shell."""

from __future__ import annotations

from enum import IntEnum

from nppac_priors import errors


class ExitCode(IntEnum):
    """Exit codes of `nppac-run`; scripts may rely on them."""

    DONE = 0
    """The command did what it was asked to."""
    FAILED = 1
    """The run failed: numbers that are not finite, a full disk, an unexpected fault."""
    INVALID = 2
    """The command line, the config or the data is invalid."""
    PLUGIN = 3
    """A plugin failed to load, or two of them provide one kind."""
    INTERRUPTED = 130
    """Interrupted after a checkpoint; `--resume` continues."""


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code that tells of an error."""
    import nppac_envs.errors as envs

    from nppac_agents.running.interruption import Interrupted

    if isinstance(error, KeyboardInterrupt | Interrupted):
        return ExitCode.INTERRUPTED
    if isinstance(error, errors.PluginError):
        return ExitCode.PLUGIN
    invalid = errors.ConfigError, errors.DataError, errors.PriorFileError
    if isinstance(error, (*invalid, envs.ConfigError, envs.DataError)):
        return ExitCode.INVALID
    return ExitCode.FAILED
