"""Which console a command talks to."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from nppac_agents.running.console import Console


def open_console(*, quiet: bool = False, stream: TextIO | None = None) -> Console:
    """Bars where `stream` (standard output) is a terminal that can move its cursor, else lines.

    Args:
        quiet: show no stages, only lines.
        stream: instead of standard output.
    """
    output = sys.stdout if stream is None else stream
    if quiet or not output.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        from nppac_agents.running.plain_console import PlainConsole

        return PlainConsole(output, quiet=quiet)
    from nppac_agents.running.terminal_console import TerminalConsole

    return TerminalConsole(output)
