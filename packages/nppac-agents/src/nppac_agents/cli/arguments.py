"""The command line of `nppac-run`: `nppac-run CONFIG` runs, a command word does something else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, final

from nppac_priors.cli.exit_code import ExitCode

from nppac_agents.cli import commands
from nppac_agents.cli.new import new
from nppac_agents.cli.run import run
from nppac_agents.cli.sweep import status, sweep

_DESCRIPTION = """\
Train an agent as an experiment file says: fit a behavioural prior to demonstrations,
let the agent learn online, evaluate it, and leave a run directory that holds everything.
"""

_EPILOG = """\
other commands (nppac-run COMMAND --help):
  new DEMONSTRATIONS       write a first experiment file for your data and environment
  validate CONFIG...       check experiment files, run nothing
  plugins                  list environments, priors and agents, and what failed to load
  schema                   print the JSON schema of experiment files
  report RUN_DIR           write the report of a run again
  sweep STUDY              run a study: several experiments, seeds and grids
  status STUDY_DIR         show how the runs of a study stand
  compare LABEL=RUN_DIR... plot runs against each other
  record RUN_DIR           record demonstrations from a trained agent

examples:
  nppac-run examples/door-human.json
  nppac-run examples/door-human.json --set agent.alpha=0.5 --set training.env_steps=50000
  nppac-run examples/door-human.json --seed 3 --output-dir runs/door/3
  nppac-run examples/door-human.json --seed 3 --output-dir runs/door/3 --resume
  nppac-run compare mine=runs/a-seed0,runs/a-seed1 theirs=runs/b-seed0 --output door.png

Relative paths, those inside an experiment file too, start from the current directory.

exit codes:
  0    done
  1    the run failed
  2    the command line, the config or the data is invalid
  3    a plugin failed, or two of them provide one kind
  130  interrupted; the last line says what is kept and how --resume goes on
"""


_PLUGINS_EPILOG = """\
environment variables, each with distributions separated by commas:
  NPPAC_WITHOUT_PLUGINS  these plugins are not imported, such as one that hangs
  NPPAC_PLUGINS          only these are imported; empty means none
NPPAC_STRICT_PLUGINS=1 makes a plugin that fails to load an error.
"""


@final
class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line, like every other error of the command."""

    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(ExitCode.INVALID)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with the function to call in `command`; exits for `--help` and mistakes."""
    parsers = {
        "new": _new_parser,
        "validate": _validate_parser,
        "plugins": _plugins_parser,
        "schema": _schema_parser,
        "report": _report_parser,
        "compare": _compare_parser,
        "sweep": _sweep_parser,
        "status": _status_parser,
        "record": _record_parser,
    }
    if argv and argv[0] in parsers:
        return parsers[argv[0]]().parse_args(argv[1:])
    parser = _run_parser()
    if not argv:
        parser.print_help()
        raise SystemExit(ExitCode.DONE)
    return parser.parse_args(argv)


def _parser(name: str, command: object, description: str, epilog: str | None = None) -> _Parser:
    parser = _Parser(
        prog=name,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error instead of one line"
    )
    return parser


def _run_parser() -> _Parser:
    parser = _parser("nppac-run", run, _DESCRIPTION, _EPILOG)
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="experiment file (JSON)")
    add(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        dest="overrides",
        help="replace a field of the experiment, such as agent.alpha=0.2; the value is JSON, or "
        "else a string; may be repeated",
    )
    add("--output-dir", metavar="DIR", help="run directory, instead of the experiment's")
    add("--seed", type=int, metavar="N", help="seed, instead of the experiment's")
    add("--device", choices=("auto", "cpu", "cuda"), help="device, instead of the experiment's")
    add(
        "--resume",
        action="store_true",
        help="continue from the last checkpoint in the run directory; start where there is none",
    )
    add(
        "--shared-fits",
        type=Path,
        metavar="DIR",
        help="take the fitted prior from this folder if another run of the same prior, data and "
        "seed left it there, and leave it there if not; changes no number of the run",
    )
    add(
        "--take-over",
        action="store_true",
        help="own the run directory although a process on another machine does; only if that "
        "process is dead: a living one stops",
    )
    add(
        "--dry-run",
        action="store_true",
        help="go once through everything, evaluation, checkpoint, resume and report included; "
        "leave no run directory",
    )
    add("--quiet", action="store_true", help="show results only, no progress")
    return parser


def _new_parser() -> _Parser:
    parser = _parser(
        "nppac-run new",
        new,
        "Write a first experiment file, with the recommended settings and their reasons, for "
        "demonstrations and an environment; both are loaded once, to see that they fit.",
    )
    add = parser.add_argument
    add(
        "demonstrations",
        metavar="DEMONSTRATIONS",
        help="a file, folder or name that nppac-demos reads without further options; "
        "nppac-demos convert makes one of any other",
    )
    add(
        "--env",
        metavar="ENV",
        help="a kind of environment such as door, a Gymnasium id, MODULE:ID, or MODULE:FUNCTION; "
        "without it, an experiment that clones and is not evaluated",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the environment, such as horizon=200; may be repeated",
    )
    add("--prior", metavar="FILE", help="a prior that nppac-prior fit wrote, to be used as it is")
    add(
        "--output",
        type=Path,
        default=Path("experiment.json"),
        metavar="FILE",
        help="where it goes (experiment.json)",
    )
    return parser


def _validate_parser() -> _Parser:
    parser = _parser(
        "nppac-run validate",
        commands.validate,
        "Check experiment files without running them. Data files are not opened.",
    )
    parser.add_argument("configs", type=Path, nargs="+", metavar="CONFIG")
    return parser


def _plugins_parser() -> _Parser:
    parser = _parser(
        "nppac-run plugins",
        commands.plugins,
        "List every kind of environment, prior and agent, where it comes from, and the plugins "
        "that failed to load or are left out.",
        _PLUGINS_EPILOG,
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    return parser


def _schema_parser() -> _Parser:
    parser = _parser(
        "nppac-run schema",
        commands.schema,
        "Print the JSON schema of experiment files, with the kinds of all installed plugins. An "
        'experiment file names it in "$schema", so that editors check and complete it.',
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there instead")
    return parser


def _report_parser() -> _Parser:
    parser = _parser(
        "nppac-run report", commands.report, "Write the report of a run from its files."
    )
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    return parser


def _compare_parser() -> _Parser:
    parser = _parser(
        "nppac-run compare",
        commands.compare,
        "Compare methods, each with one or more runs (seeds), of one task or several: learning "
        "curves, statistics over seeds and tasks, and a table of measures for each task. Runs of "
        "different evaluation protocols are different tasks.",
    )
    add = parser.add_argument
    add(
        "methods",
        nargs="+",
        type=commands.labelled_runs,
        metavar="LABEL=RUN_DIR[,RUN_DIR...]",
        help="a method's name and its runs; patterns such as 'runs/nppac-seed*' may name them",
    )
    add(
        "--output",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="a figure (.png, .svg, .pdf), a page (.html), or numbers (.csv, .json); may be "
        "repeated",
    )
    add(
        "--measure",
        action="append",
        dest="measures",
        metavar="FIELD",
        help="success_ever, success_at_end, solved_fraction, time_to_success or return_mean; may "
        "be repeated; statistics over tasks are of the first (success_ever and success_at_end)",
    )
    add(
        "--axis",
        choices=("env_steps", "updates", "wall_seconds"),
        help="what curves are drawn over (environment steps, where there are any)",
    )
    return parser


def _record_parser() -> _Parser:
    parser = _parser(
        "nppac-run record",
        commands.record,
        "Record episodes of a trained agent, with its action noise, as demonstrations: successful "
        "ones, where the task knows success.",
    )
    add = parser.add_argument
    add("run_dir", type=Path, metavar="RUN_DIR", help="a finished run")
    add("--prior", action="store_true", help="roll out the run's prior in place of its agent")
    add("--episodes", type=int, default=25, metavar="N", help="episodes to keep (25)")
    add("--first-seed", type=int, default=5000, metavar="N", help="seed of the first one (5000)")
    add("--output", type=Path, required=True, metavar="FILE.npz", help="where they go")
    return parser


def _sweep_parser() -> _Parser:
    parser = _parser(
        "nppac-run sweep",
        sweep,
        "Run all runs of a study, several at a time, and compare them. Finished runs are skipped, "
        "interrupted and broken ones continued: the same command goes on with a stopped study.",
    )
    add = parser.add_argument
    add("study", type=Path, metavar="STUDY", help="study file, or an experiment file (JSON)")
    add("--seeds", metavar="SEEDS", help="FIRST:END (END left out), or SEED,SEED,...")
    add(
        "--grid",
        action="append",
        default=[],
        metavar="PATH=VALUE,VALUE,...",
        help="an axis more: a field such as agent.alpha and its values; may be repeated",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        dest="overrides",
        help="replace a field of all experiments, before the grid; may be repeated",
    )
    add("--budget", metavar="NAME", help="one of the study's budgets")
    add(
        "--executor",
        metavar="KIND[,NAME=VALUE,...]",
        help="who runs them, such as local,processes=2,threads=1",
    )
    add("--failures", type=int, metavar="N", help="failures after which a run is given up (3)")
    add("--output-dir", metavar="DIR", help="the study's folder (runs/NAME)")
    add(
        "--dry-run",
        action="store_true",
        help="check everything, list the runs with an estimate of their time, run nothing",
    )
    return parser


def _status_parser() -> _Parser:
    parser = _parser(
        "nppac-run status",
        status,
        "Show how the runs of a study stand; on a terminal, until its sweep ends.",
    )
    parser.add_argument("study", type=Path, metavar="STUDY_DIR", help="the study's folder")
    return parser
