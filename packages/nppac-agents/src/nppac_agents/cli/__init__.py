"""The command `nppac-run`: arguments in, a command run, an exit code out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nppac_priors.cli.process import run_command

from nppac_agents.cli.arguments import parse
from nppac_agents.cli.exit_code import exit_code_of
from nppac_agents.cli.problems import problem_lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: the arguments after the command's name; those of the process unless given.

    Returns:
        An `ExitCode`; every problem is one line on standard error.
    """
    arguments = parse(sys.argv[1:] if argv is None else argv)
    return run_command(arguments, problem_lines=problem_lines, exit_code_of=exit_code_of)
