"""The command line of `nppac-run`: a command word, or a file, which is trained."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.user_files import user_path

from nppac_agents.cli import commands, policy_arguments, study_arguments
from nppac_agents.cli.new import new
from nppac_agents.cli.parser import Parser as _Parser
from nppac_agents.cli.parser import command_parser as _parser
from nppac_agents.cli.parser import is_command, unknown_command
from nppac_agents.cli.run import extend, run

_DESCRIPTION = """\
Train an agent as an experiment file says: fit a behavioural prior to demonstrations,
let the agent learn online, evaluate it, and leave a run directory that holds everything.
"""

_COMMANDS = """\
commands (nppac-run COMMAND --help):
  new DEMONSTRATIONS       a first experiment file for your data and task
  validate CONFIG...       check experiment files, run nothing
  train CONFIG             run an experiment; nppac-run CONFIG is short for it
  extend RUN_DIR           go on with a run, to more environment steps
  evaluate RUN_DIR         play episodes with a trained policy and measure them
  record RUN_DIR           record demonstrations from a trained policy
  video RUN_DIR            film episodes of a trained policy
  export RUN_DIR FOLDER    a policy for use without its run, on a robot say
  report RUN_DIR           write the report of a run again
  sweep STUDY              run a study: several experiments, seeds and grids
  tune STUDY               search settings for the points of a study
  status STUDY_DIR         show how the runs of a study stand
  offline-sets STUDY_DIR   sets like those of D4RL, from a study of two runs
  compare LABEL=RUN_DIR... plot runs against each other
  kinds [KIND]             environments, agents, loggers, executors, or one
  plugins                  where components come from, and what failed to load
  schema                   print the JSON schema of experiment or study files

"""

_EPILOG = """\
examples:
  nppac-run examples/door-nppac.json
  nppac-run examples/door-nppac.json --set agent.alpha=0.5
  nppac-run examples/door-nppac.json --seed 3 --output-dir runs/door/3
  nppac-run examples/door-nppac.json --seed 3 --output-dir runs/door/3 --resume
  nppac-run compare mine=runs/a-seed0,runs/a-seed1 theirs=runs/b-seed0 \\
    --output door.png

Relative paths, those inside an experiment file too, start from the current directory.

exit codes:
  0    done
  1    the run failed
  2    the command line, the config or the data is invalid
  3    a plugin failed, or two of them provide one kind
  130  interrupted; the last line says what is kept and how --resume goes on
"""


_EXTEND = """\
Go on with a run, finished or not, until it has made N environment steps in all, then report
as at the end of any run. The experiment is the run's own config.json.
"""

_EXTEND_EPILOG = """\
--set may change logging, device, and evaluation.every, episodes, first_seed and reporting_episodes.

A run extended from N to 2N steps equals one of 2N steps bit for bit, on the same machine with the
same versions. What breaks that:
  another machine, device, number of threads, or version of what computes
  an environment without get_state and set_state: its episodes start anew
  where N is no multiple of evaluation.every: the evaluation at N is one more,
  which may choose another best policy; what is learned stays the same

examples:
  nppac-run extend runs/door-nppac-seed0 --env-steps 40000
  nppac-run extend runs/door-nppac-seed0 --env-steps 40000 \\
    --set evaluation.every=5000
"""


_PLUGINS_EPILOG = """\
environment variables, each with distributions separated by commas:
  NPPAC_WITHOUT_PLUGINS  these plugins are not imported, such as one that hangs
  NPPAC_PLUGINS          only these are imported; empty means none
NPPAC_STRICT_PLUGINS=1 makes a plugin that fails to load an error.
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with the function to call in `command`; exits for `--help` and mistakes."""
    parsers = {
        "new": _new_parser,
        "validate": _validate_parser,
        "train": lambda: _run_parser("nppac-run train", _EPILOG),
        "extend": _extend_parser,
        "evaluate": policy_arguments.evaluate_parser,
        "record": policy_arguments.record_parser,
        "video": policy_arguments.video_parser,
        "export": policy_arguments.export_parser,
        "report": _report_parser,
        "compare": _compare_parser,
        "sweep": study_arguments.sweep_parser,
        "tune": study_arguments.tune_parser,
        "status": study_arguments.status_parser,
        "offline-sets": study_arguments.offline_sets_parser,
        "kinds": _kinds_parser,
        "plugins": _plugins_parser,
        "schema": _schema_parser,
    }
    if argv and argv[0] in parsers:
        return parsers[argv[0]]().parse_args(argv[1:])
    parser = _run_parser("nppac-run", _COMMANDS + _EPILOG)
    if not argv:
        parser.print_help()
        raise SystemExit(ExitCode.DONE)
    if is_command(argv[0]):
        parser.error(unknown_command(argv[0], list(parsers)))
    return parser.parse_args(argv)


def _run_parser(name: str, epilog: str) -> _Parser:
    parser = _parser(name, run, _DESCRIPTION, epilog)
    add = parser.add_argument
    add("config", type=user_path, metavar="CONFIG", help="experiment file (JSON)")
    _add_set(parser, "such as agent.alpha=0.2")
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
        type=user_path,
        metavar="DIR",
        help="take the fitted prior from this folder if another run of the same prior, data and "
        "seed left it there, and leave it there if not; changes no number of the run",
    )
    _add_owning(parser)
    add(
        "--dry-run",
        action="store_true",
        help="go once through everything, evaluation, checkpoint, resume and report included; "
        "leave no run directory",
    )
    return parser


def _extend_parser() -> _Parser:
    parser = _parser("nppac-run extend", extend, _EXTEND, _EXTEND_EPILOG)
    parser.add_argument("run_dir", type=user_path, metavar="RUN_DIR", help="a run, finished or not")
    parser.add_argument(
        "--env-steps",
        type=policy_arguments.positive,
        required=True,
        metavar="N",
        help="environment steps that the run will have made in all",
    )
    _add_set(parser, "such as evaluation.every=5000; see below")
    _add_owning(parser)
    parser.set_defaults(dry_run=False, resume=True, shared_fits=None)
    return parser


def _add_set(parser: _Parser, example: str) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        dest="overrides",
        help=f"replace a field of the experiment, {example}; the value is JSON, or else a string; "
        "may be repeated",
    )


def _add_owning(parser: _Parser) -> None:
    add = parser.add_argument
    add(
        "--take-over",
        action="store_true",
        help="own the run directory although a process on another machine does; only if that "
        "process is dead: a living one stops",
    )
    add("--quiet", action="store_true", help="show results only, no progress")


def _new_parser() -> _Parser:
    parser = _parser(
        "nppac-run new",
        new,
        "Write a first experiment file, with the recommended settings and their reasons, for\n"
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
        type=user_path,
        default=Path("experiment.json"),
        metavar="FILE",
        help="where it goes (experiment.json)",
    )
    return parser


def _validate_parser() -> _Parser:
    parser = _parser(
        "nppac-run validate",
        commands.validate,
        "Check experiment files without running them: their fields, and whether the parts\n"
        "go together. No data are read, but for what a set says of itself, and no\n"
        "environment is imported. Demonstrations, a prior or a device that are not here\n"
        "are a warning, since they may be where the experiment will run.",
    )
    parser.add_argument("configs", type=user_path, nargs="+", metavar="CONFIG")
    _add_set(parser, "such as agent.alpha=0.2")
    return parser


def _kinds_parser() -> _Parser:
    parser = _parser(
        "nppac-run kinds",
        commands.kinds,
        "List the kinds of environments, agents, loggers and executors, or the fields of\n"
        "one with their defaults and meaning. nppac-prior kinds does so for priors.",
        "examples:\n  nppac-run kinds\n  nppac-run kinds nppac",
    )
    parser.add_argument("kind", nargs="?", metavar="KIND")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    return parser


def _plugins_parser() -> _Parser:
    parser = _parser(
        "nppac-run plugins",
        commands.plugins,
        "List every kind of component, where it comes from, and the plugins\n"
        "that failed to load or are left out.",
        _PLUGINS_EPILOG,
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    return parser


def _schema_parser() -> _Parser:
    parser = _parser(
        "nppac-run schema",
        commands.schema,
        "Print the JSON schema of experiment files, or of study files, with the kinds of all\n"
        'installed plugins. A file names it in "$schema", so that editors check and complete it.',
    )
    parser.add_argument("--study", action="store_true", help="the schema of study files")
    parser.add_argument("--output", type=user_path, metavar="FILE", help="write it there instead")
    return parser


def _report_parser() -> _Parser:
    parser = _parser(
        "nppac-run report", commands.report, "Write the report of a run from its files."
    )
    parser.add_argument("run_dir", type=user_path, metavar="RUN_DIR")
    return parser


def _compare_parser() -> _Parser:
    parser = _parser(
        "nppac-run compare",
        commands.compare,
        "Compare methods, each with one or more runs (seeds), of one task or several: learning\n"
        "curves, statistics over seeds and tasks, and a table of measures for each task. Runs of\n"
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
        type=user_path,
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
        help="success_ever, success_at_end, solved_fraction, time_to_success, return_mean or "
        "normalised_return; may be repeated; statistics over tasks are of the first (success_ever "
        "and success_at_end, or return_mean where no run tells success)",
    )
    add(
        "--axis",
        choices=("env_steps", "updates", "wall_seconds"),
        help="what curves are drawn over (environment steps, where there are any)",
    )
    return parser
