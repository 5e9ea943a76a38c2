"""A command as a process: it runs, its problems are lines, it ends with an exit code."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable

from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.plugin_origin import blamed


def run_command(
    arguments: argparse.Namespace,
    *,
    problem_lines: Callable[[BaseException], list[str]],
    exit_code_of: Callable[[BaseException], ExitCode],
) -> int:
    """Run `arguments.command` on the arguments.

    Args:
        arguments: Parsed, with `command` and `debug`.
        problem_lines: What to tell of an error, on standard error.
        exit_code_of: How to end after it.

    Returns:
        An `ExitCode`.
    """
    logging.basicConfig(format="warning: %(message)s", level=logging.WARNING)
    try:
        code = arguments.command(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except BaseException as error:  # SystemExit too: nothing but a plugin or a library raises it
        if arguments.debug:
            traceback.print_exc()
        error = blamed(error)
        for line in problem_lines(error):
            print(f"error: {line}", file=sys.stderr)
        return exit_code_of(error)
