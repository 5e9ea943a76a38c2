"""Errors as lines for the person at the terminal."""

from __future__ import annotations

from nppac_priors.cli import problems


def problem_lines(error: BaseException) -> list[str]:
    """One line per problem; an interrupted run also says how it goes on."""
    from nppac_envs.errors import EnvsError

    from nppac_agents.running.interruption import Interrupted

    if isinstance(error, Interrupted):
        return ["interrupted after a checkpoint; --resume continues from it"]
    if isinstance(error, KeyboardInterrupt):
        return ["interrupted; --resume continues from the last checkpoint, if there is one"]
    if isinstance(error, EnvsError):
        return str(error).splitlines()
    return problems.problem_lines(error)
