"""The command `nppac-demos`: arguments in, a command run, an exit code out."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence

from nppac_envs.cli.arguments import parse
from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.errors import DataError, EnvsError, FaultyEnvironmentError


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
    except BaseException as error:  # SystemExit too: a plugin may raise it
        if arguments.debug:
            traceback.print_exc()
        print(f"error: {_line(error)}", file=sys.stderr)
        return _exit_code(error)


def _line(error: BaseException) -> str:
    if isinstance(error, DataError):
        return error.in_options()
    text = " ".join(str(error).split())
    if isinstance(error, EnvsError):
        return text
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"{type(error).__name__}: {text} (--debug shows where)"


def _exit_code(error: BaseException) -> ExitCode:
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, FaultyEnvironmentError):
        return ExitCode.FAILED
    return ExitCode.INVALID if isinstance(error, EnvsError) else ExitCode.FAILED
