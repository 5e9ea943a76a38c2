"""What `nppac-run` returns to the shell: the exit codes of `nppac-prior`."""

from __future__ import annotations

from nppac_priors.cli import exit_code
from nppac_priors.cli.exit_code import ExitCode


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code that tells of an error."""
    import nppac_envs.errors as envs

    from nppac_agents.running.interruption import Interrupted

    if isinstance(error, Interrupted):
        return ExitCode.INTERRUPTED
    if isinstance(error, envs.FaultyEnvironmentError):
        return ExitCode.PLUGIN if error.plugin else ExitCode.FAILED
    if isinstance(error, envs.ConfigError | envs.DataError):
        return ExitCode.INVALID
    return exit_code.exit_code_of(error)
