"""The command line of `nppac-prior`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn, final

from nppac_priors.cli import commands
from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.plugin_loading import version_of
from nppac_priors.user_files import user_path

_DESCRIPTION = """\
Fit behavioural priors to demonstrations, and see whether they are healthy
before any reinforcement learning.

DATA is an npz file with the arrays states (N, S), actions (N, A) in [-1, 1] and
episode_lengths (E,), which sum to N.

PRIOR is one of
  exact-gp                     a kind, with its defaults
  '{"kind": "exact-gp", ...}'  a configuration
  my-prior.json                a file with one
  figure-5.json                a file with several: {"LABEL": {"kind": ...}}
  door.safetensors             a prior that `nppac-prior fit` wrote
and may be named: LABEL=PRIOR.
"""

_EPILOG = """\
examples:
  nppac-prior kinds
  nppac-prior kinds exact-gp
  nppac-prior fit door.npz exact-gp --output door.safetensors
  nppac-prior extend door.safetensors more.npz --output door-more.safetensors
  nppac-prior report door.npz door.safetensors --output report
  nppac-prior report door.npz exact-gp --compare gaussian-mlp --output report
  nppac-prior report door.npz exact-gp --visited prior-went.npz --output report
  nppac-prior training door.npz gaussian-mlp --output training

exit codes:
  0    done
  1    failed
  2    the command line, the config, the data or the prior file is invalid
  3    a plugin failed, or two of them provide one kind
  130  interrupted
"""


@final
class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like every other error of the command."""

    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(ExitCode.INVALID)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with the function to call in `command`; exits for `--help` and mistakes."""
    parser = _Parser(
        prog="nppac-prior",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_version(parser)
    if not argv:
        parser.print_help()
        raise SystemExit(ExitCode.DONE)
    words = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _add_fit(words)
    _add_extend(words)
    _add_report(words)
    _add_training(words)
    _add_kinds(words)
    return parser.parse_args(argv)


def _add_fit(words: argparse._SubParsersAction) -> None:
    parser = _command(words, "fit", commands.fit, "fit a prior and write it to one file")
    parser.add_argument("data", type=user_path, metavar="DATA")
    parser.add_argument("prior", metavar="PRIOR")
    parser.add_argument("--output", type=user_path, required=True, metavar="FILE.safetensors")
    _add_split(parser, "; 0 fits to all of them, for use rather than for a report")
    _add_fit_options(parser)


def _add_extend(words: argparse._SubParsersAction) -> None:
    summary = "condition a fitted prior on further episodes, without a new fit (exact-gp)"
    parser = _command(words, "extend", commands.extend, summary)
    parser.add_argument("prior", type=user_path, metavar="FILE.safetensors")
    parser.add_argument("data", type=user_path, metavar="DATA", help="the further episodes alone")
    parser.add_argument("--output", type=user_path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--device", default="cpu", help="where it is conditioned (cpu)")


def _add_report(words: argparse._SubParsersAction) -> None:
    summary = "measure priors on held-out episodes and off the data: JSON, PNG and one HTML page"
    parser = _command(words, "report", commands.report, summary)
    parser.add_argument("data", type=user_path, metavar="DATA")
    parser.add_argument("prior", metavar="PRIOR", help="fitted first, unless it is a fitted prior")
    parser.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar="PRIOR",
        help="more priors, side by side on one colour scale and in one table",
    )
    parser.add_argument(
        "--visited",
        type=user_path,
        metavar="FILE.npz",
        help="states that a prior's own mean visits, to be judged on too: the array states, as "
        "nppac-run record RUN_DIR --policy prior --deterministic --all writes it",
    )
    parser.add_argument("--output", type=user_path, required=True, metavar="FOLDER")
    _add_split(parser)
    _add_fit_options(parser)


def _add_training(words: argparse._SubParsersAction) -> None:
    summary = "follow the variance off the data while priors train, over several seeds"
    parser = _command(words, "training", commands.training, summary)
    parser.add_argument("data", type=user_path, metavar="DATA")
    parser.add_argument(
        "priors", nargs="+", metavar="PRIOR", help="of a kind that has a field `steps`"
    )
    parser.add_argument("--output", type=user_path, required=True, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="fits of each prior (5)")
    _add_split(parser)
    _add_fit_options(parser)


def _add_kinds(words: argparse._SubParsersAction) -> None:
    summary = "list the kinds of priors, or the fields of one"
    parser = _command(words, "kinds", commands.kinds, summary)
    parser.add_argument("kind", nargs="?", metavar="KIND")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _command(
    words: argparse._SubParsersAction, name: str, command: object, summary: str
) -> argparse.ArgumentParser:
    parser = words.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="nppac-prior --help explains DATA and PRIOR.",
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error instead of one line"
    )
    _add_version(parser)
    return parser


def _add_version(parser: argparse.ArgumentParser) -> None:
    version = f"nppac-priors {version_of('nppac-priors')}"
    parser.add_argument("--version", action="version", version=version)


def _add_split(parser: argparse.ArgumentParser, more: str = "") -> None:
    parser.add_argument(
        "--hold-out",
        type=float,
        default=0.2,
        metavar="SHARE",
        help=f"share of the episodes that no prior is fitted to (0.2){more}",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the held-out episodes and the fit (0)"
    )


def _add_fit_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu", help="where priors are fitted (cpu)")
    parser.add_argument("--quiet", action="store_true", help="show results only, no progress")
