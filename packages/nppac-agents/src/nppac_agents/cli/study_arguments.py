"""The commands of studies: their options."""

from __future__ import annotations

from nppac_priors.user_files import user_path

from nppac_agents.cli.parser import Parser, command_parser
from nppac_agents.cli.policy_arguments import positive
from nppac_agents.cli.sweep import offline_sets, status, sweep
from nppac_agents.cli.tune import tune


def sweep_parser() -> Parser:
    """`nppac-run sweep`."""
    parser = command_parser(
        "nppac-run sweep",
        sweep,
        "Run all runs of a study, several at a time, and compare them. Finished runs are skipped,\n"
        "interrupted and broken ones continued: the same command goes on with a stopped study.",
    )
    add = parser.add_argument
    add("--seeds", metavar="SEEDS", help="FIRST:END (END left out), or SEED,SEED,...")
    add(
        "--grid",
        action="append",
        default=[],
        metavar="PATH=VALUE,VALUE,...",
        help="an axis more: a field such as agent.alpha and its values; may be repeated",
    )
    _add_study(parser, "study file, or an experiment file (JSON)")
    add(
        "--dry-run",
        action="store_true",
        help="check everything, list the runs with an estimate of their time, run nothing",
    )
    return parser


def tune_parser() -> Parser:
    """`nppac-run tune`."""
    parser = command_parser(
        "nppac-run tune",
        tune,
        "Search settings for each point of a study, as its field `tuning` says, on seeds from 10\n"
        "up, and write an experiment file with the best. The same command goes on with a search\n"
        'that was stopped. Needs pip install "nppac-agents[tune]".',
    )
    _add_study(parser, "study file with a field `tuning` (JSON)")
    return parser


def _add_study(parser: Parser, study: str) -> None:
    add = parser.add_argument
    add("study", type=user_path, metavar="STUDY", help=study)
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
        help="who runs them, such as local,processes=2,threads=1, slurm or ray",
    )
    add(
        "--failures",
        type=int,
        metavar="N",
        help="failures without progress after which a run is given up (3)",
    )
    add("--output-dir", metavar="DIR", help="the study's folder (runs/NAME)")


def status_parser() -> Parser:
    """`nppac-run status`."""
    parser = command_parser(
        "nppac-run status",
        status,
        "Show how the runs of a study stand, its search's too; on a terminal, until it ends.",
    )
    parser.add_argument("study", type=user_path, metavar="STUDY_DIR", help="the study's folder")
    return parser


def offline_sets_parser() -> Parser:
    """`nppac-run offline-sets`."""
    parser = command_parser(
        "nppac-run offline-sets",
        offline_sets,
        "Make four sets for offline learning, like those of D4RL, from a finished study with one\n"
        "run of `medium` and one of `expert`, as studies/offline-halfcheetah.json has:\n\n"
        "  TASK/random-v0         actions drawn uniformly\n"
        "  TASK/medium-v0         the last policy of medium, with its noise\n"
        "  TASK/medium-replay-v0  every whole episode in the replay of medium\n"
        "  TASK/medium-expert-v0  those of medium, and as many steps of expert\n\n"
        "They are Minari sets, whose metadata name their makers whole and the hash of what is in\n"
        "them. One that is there already, made alike, is kept.",
        "examples:\n"
        "  nppac-run sweep studies/offline-halfcheetah.json\n"
        "  nppac-run offline-sets runs/offline-halfcheetah-small --output sets\n"
        "  nppac-run sweep studies/offline-methods.json",
    )
    add = parser.add_argument
    add("study", type=user_path, metavar="STUDY_DIR", help="the study's folder")
    add(
        "--steps",
        type=positive,
        default=50_000,
        metavar="N",
        help="steps to play of each policy, at least, for episodes are whole (50000); D4RL has a "
        "million",
    )
    add(
        "--output",
        type=user_path,
        required=True,
        metavar="FOLDER",
        help="folder of Minari sets that they go to",
    )
    return parser
