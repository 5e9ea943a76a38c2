"""What all parsers of `nppac-run` have in common."""

from __future__ import annotations

import argparse
import difflib
import itertools
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, final

from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.plugin_loading import version_of

_PACKAGES = ("nppac-agents", "nppac-envs", "nppac-priors")


@final
class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like every other error of the command."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and where help is."""
        print(f"error: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(ExitCode.INVALID)


def command_parser(
    name: str,
    command: Callable[[argparse.Namespace], int],
    description: str,
    epilog: str | None = None,
) -> Parser:
    """The parser of one command, whose function is kept in `command`."""
    parser = Parser(
        prog=name,
        description=_in_columns(description),
        epilog=_in_columns(epilog or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error instead of one line"
    )
    versions = ", ".join(f"{name} {version_of(name)}" for name in _PACKAGES)
    parser.add_argument("--version", action="version", version=versions)
    return parser


def _in_columns(text: str) -> str:
    """Paragraphs in lines of at most 80 columns; lines that are indented stay as they are."""
    lines: list[str] = []
    for flows, found in itertools.groupby(text.splitlines(), lambda line: line[:1].strip() != ""):
        block = [*found]
        lines += textwrap.wrap(" ".join(block), 80) if flows else block
    return "\n".join(lines)


def is_command(word: str) -> bool:
    """Whether a first word is meant as a command: no option, and no file by its look or its being.

    Anything with a suffix or a folder is a file's name, so that a missing one is told as such.
    """
    path = Path(word)
    return not (word.startswith("-") or path.suffix or len(path.parts) > 1 or path.exists())


def unknown_command(word: str, commands: Sequence[str]) -> str:
    """What to say of it: the closest command, and all there are."""
    close = difflib.get_close_matches(word, commands, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"unknown command {word!r}{hint}; commands: {', '.join(commands)}"
