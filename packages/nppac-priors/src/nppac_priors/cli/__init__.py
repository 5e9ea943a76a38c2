"""The command `nppac-prior`: arguments in, a command run, an exit code out."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence

from nppac_priors.cli.arguments import parse
from nppac_priors.cli.exit_code import ExitCode, exit_code_of
from nppac_priors.cli.problems import problem_lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: The arguments after the command's name; those of the process unless given.

    Returns:
        An `ExitCode`; every problem is one line on standard error.
    """
    arguments = parse(sys.argv[1:] if argv is None else argv)
    logging.basicConfig(format="warning: %(message)s", level=logging.WARNING)
    try:
        code = arguments.command(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except (Exception, KeyboardInterrupt) as error:
        if arguments.debug:
            traceback.print_exc()
        for line in problem_lines(error):
            print(f"error: {line}", file=sys.stderr)
        return exit_code_of(error)
