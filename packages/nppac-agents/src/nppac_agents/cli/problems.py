"""Errors as lines for the person at the terminal."""

from __future__ import annotations

from nppac_priors.cli import problems


def problem_lines(error: BaseException) -> list[str]:
    """One line per problem; an interrupted run also says how it goes on."""
    from nppac_envs.errors import EnvsError

    from nppac_agents.running.interruption import Interrupted

    if isinstance(error, EnvsError | Interrupted):
        return str(error).splitlines()
    return problems.problem_lines(error)
