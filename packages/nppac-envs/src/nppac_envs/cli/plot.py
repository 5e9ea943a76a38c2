"""`nppac-demos plot`: a picture of a set."""

from __future__ import annotations

import argparse

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.judging import judged
from nppac_envs.cli.source_options import source_configs
from nppac_envs.demonstrations.plots import plot as draw


def plot(arguments: argparse.Namespace) -> int:
    """Draw a set and say where."""
    demonstrations = judged(source_configs(arguments)[0].load(), arguments)
    draw(demonstrations, arguments.output)
    print(f"wrote {arguments.output}")
    return ExitCode.DONE
