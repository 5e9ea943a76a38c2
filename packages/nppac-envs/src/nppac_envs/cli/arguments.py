"""The command line of `nppac-demos`: a command word and its options."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn, final

import nppac_envs
from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.source_options import add_source_options, numbers, places
from nppac_envs.demonstrations.file_guard import expanded

_DESCRIPTION = "Look at demonstrations, check, fetch, convert, record, replay and draw them."

_EPILOG = """\
commands (nppac-demos COMMAND --help):
  inspect SOURCE     sizes, returns, success, and the range of every dimension
  doctor SOURCE      what is wrong with a set, and what to do about it
  fetch [NAME]       a published set, prepared and checked; without NAME a list
  convert SOURCE...  choose, join, relabel; write npz, HDF5, LeRobot, Minari
  record             new demonstrations from a function or a random process
  replay SOURCE      simulate the actions again and compare
  video SOURCE       draw episodes as MP4 or GIF
  plot SOURCE        states on their principal components, actions over time

examples:
  nppac-demos inspect door
  nppac-demos doctor D4RL/door/human-v2 --download --task door
  nppac-demos inspect mine.csv --map states=obs actions=a --action-range -90 90
  nppac-demos video door --task door --episodes 0,3 --output door.gif
  nppac-demos record --task pen --policy ornstein-uhlenbeck --output noise.npz
  nppac-demos convert demos.pickle --judge door --only-successful --output d.npz

SOURCE is a file (.npz, .csv, .hdf5, .pickle, .npy), a LeRobot folder, a Minari
id or folder, or the name of a set that ships.

exit codes:
  0    done
  1    doctor found an error, or an unexpected fault
  2    the command line or the data is invalid
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
    parsers: dict[str, Callable[[], _Parser]] = {
        "inspect": _inspect_parser,
        "doctor": _doctor_parser,
        "fetch": _fetch_parser,
        "convert": _convert_parser,
        "record": _record_parser,
        "replay": _replay_parser,
        "video": _video_parser,
        "plot": _plot_parser,
    }
    if argv and argv[0] in parsers:
        # A space tells argparse that -90,-90 is no option; numbers may begin with one.
        spaced = [f" {text}" if re.match(r"-\.?\d", text) else text for text in argv[1:]]
        return parsers[argv[0]]().parse_args(spaced)
    parser = _Parser(
        prog="nppac-demos",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        usage="nppac-demos COMMAND ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_version(parser)
    if not argv:
        parser.print_help()
        raise SystemExit(ExitCode.DONE)
    if argv[0].startswith("-"):
        return parser.parse_args(argv)
    parser.error(f"there is no command {argv[0]!r}; there are {', '.join(parsers)}")


def _parser(name: str, description: str) -> _Parser:
    """A parser whose command is the function `name` of the module of that name."""
    parser = _Parser(prog=f"nppac-demos {name}", description=description, allow_abbrev=False)

    def command(arguments: argparse.Namespace) -> int:
        return getattr(import_module(f"nppac_envs.cli.{name}"), name)(arguments)

    parser.set_defaults(command=command)
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error instead of one line"
    )
    _add_version(parser)
    return parser


def _add_version(parser: _Parser) -> None:
    version = f"nppac-envs {nppac_envs.__version__}"
    parser.add_argument("--version", action="version", version=version)


def _inspect_parser() -> _Parser:
    parser = _parser(
        "inspect",
        "Show what is in a set: sizes, returns, success, and the range of every dimension.",
    )
    add_source_options(parser)
    _add_judge(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _doctor_parser() -> _Parser:
    parser = _parser(
        "doctor",
        "Find what is wrong with a set: failed episodes, actions out of range or at their bounds, "
        "NaN, duplicated states, dead dimensions, odd lengths, success that does not fit the "
        "task's rule, and simulations that go elsewhere. Every finding says what to do.",
    )
    add_source_options(parser)
    parser.add_argument("--task", metavar="KIND", help="the environment, such as door")
    parser.add_argument(
        "--replay", action="store_true", help="simulate the actions too and compare (with --task)"
    )
    _add_set(parser)
    _add_first_seed(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    return parser


def _fetch_parser() -> _Parser:
    parser = _parser(
        "fetch",
        "Prepare a published set as one npz file: fetch it, convert it, and check episodes, steps "
        "and hash against what is written down. Without NAME list the sets. What Minari's server "
        'has needs pip install "nppac-envs[download]".',
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="such as door-human")
    parser.add_argument(
        "--output",
        type=expanded,
        metavar="FILE.npz",
        help="where it goes (NAME.npz in this folder)",
    )
    return parser


def _convert_parser() -> _Parser:
    parser = _parser(
        "convert",
        "Read one or more sets, concatenate them, choose episodes, relabel, and write the result. "
        "The operations run in the order in which they are listed here.",
    )
    add_source_options(parser, several=True)
    add = parser.add_argument_group("operations").add_argument
    add(
        "--cut",
        type=places,
        metavar="E:S,E:S",
        help="begin a new episode after step S of episode E, whose action led to no state that "
        "was recorded and is dropped",
    )
    add(
        "--join",
        type=numbers,
        metavar="N,N",
        help="append each of these episodes to the one before it",
    )
    add("--drop-repeats", action="store_true", help="keep the last step of a run of equal states")
    _add_judge(parser, add)
    add("--only-successful", action="store_true", help="keep the episodes with a success")
    add("--sample", type=int, metavar="N", help="keep N episodes drawn at random")
    add("--seed", type=int, default=0, metavar="N", help="seed of the draw (0)")
    add(
        "--rewards",
        choices=("zero-one", "binary"),
        help="replace rewards: 1 on success and 0 elsewhere, or 0 and -1",
    )
    add("--test-episodes", type=numbers, metavar="N,N", help="split these episodes off")
    add("--test-output", type=expanded, metavar="FILE.npz", help="where the split-off ones go")
    add = parser.add_argument_group("writing").add_argument
    add(
        "--output",
        type=expanded,
        required=True,
        metavar="PATH",
        help="a .npz file; a .hdf5 file, in robomimic's layout; a name without an ending, the "
        "folder of a LeRobot set; or with --minari a folder of Minari sets",
    )
    add("--fps", type=int, metavar="N", help="steps a second of a LeRobot set (10)")
    add("--minari", metavar="NAME", help="write a Minari set of this name, such as door/mine-v0")
    return parser


def _record_parser() -> _Parser:
    parser = _parser(
        "record",
        "Record demonstrations in an environment, from any function of the state or from a random "
        "process. Checkpoints are recorded by nppac-run record.",
    )
    _add_task(parser)
    add = parser.add_argument
    add(
        "--policy",
        required=True,
        metavar="POLICY",
        help="uniform, ornstein-uhlenbeck, or MODULE:NAME or FILE.py:NAME, a function from a state "
        "(S,) to an action (A,) in [-1, 1]; if it has a method reset(), that is called before "
        "each episode",
    )
    add("--episodes", type=int, default=25, metavar="N", help="episodes to keep (25)")
    add(
        "--only-successful",
        choices=("ever", "at-end"),
        nargs="?",
        const="ever",
        help="keep episodes that succeed at any step (ever), or at the last one (at-end)",
    )
    add("--first-seed", type=int, default=0, metavar="N", help="seed of the first episode (0)")
    add("--output", type=expanded, required=True, metavar="FILE.npz", help="where they go")
    return parser


def _replay_parser() -> _Parser:
    parser = _parser(
        "replay",
        "Simulate the recorded actions, open loop, from the state that each episode's first "
        "observation tells (or by the seed of its reset, where an environment cannot be put "
        "there), and compare the states and the success.",
    )
    add_source_options(parser)
    _add_task(parser)
    _add_first_seed(parser)
    _add_episodes(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    return parser


def _video_parser() -> _Parser:
    parser = _parser(
        "video",
        "Draw episodes as the simulator shows them when the recorded actions are played, one after "
        "the other, with a border that is green for success and red for failure. On a machine "
        "without a display set MUJOCO_GL=egl or osmesa.",
    )
    add_source_options(parser)
    _add_task(parser)
    _add_first_seed(parser)
    _add_episodes(parser)
    add = parser.add_argument
    add("--every", type=int, default=4, metavar="N", help="draw every Nth step (4)")
    add("--size", type=int, default=320, metavar="PIXELS", help="width and height (320)")
    add(
        "--output",
        type=expanded,
        required=True,
        metavar="FILE",
        help="a .gif file, or .mp4 with pip install nppac-envs[video]",
    )
    return parser


def _plot_parser() -> _Parser:
    parser = _parser(
        "plot",
        "Plot the states on their first two principal components and the actions over time; "
        "episodes that fail are drawn apart. Needs pip install nppac-envs[plots].",
    )
    add_source_options(parser)
    _add_judge(parser)
    parser.add_argument(
        "--output", type=expanded, required=True, metavar="FILE", help="a .png, .pdf or .svg file"
    )
    return parser


def _add_task(parser: _Parser) -> None:
    parser.add_argument(
        "--task",
        required=True,
        metavar="KIND",
        help="the environment, such as door, or gymnasium with --set id=MODULE:NAME",
    )
    _add_set(parser)


def _add_set(parser: _Parser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the environment, such as variant=v2; may be repeated",
    )


def _add_first_seed(parser: _Parser) -> None:
    parser.add_argument(
        "--first-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the recording's first episode (0), for environments that can only be reset",
    )


def _add_episodes(parser: _Parser) -> None:
    parser.add_argument(
        "--episodes", type=numbers, metavar="N,N", help="numbers of the episodes (all)"
    )


def _add_judge(parser: _Parser, add: Callable[..., object] | None = None) -> None:
    (add or parser.add_argument)(
        "--judge",
        metavar="KIND",
        help="decide success by the rule of a task, such as door; gymnasium simulates the actions "
        "in the environment that --set id=MODULE:NAME names",
    )
    _add_set(parser)
    _add_first_seed(parser)
