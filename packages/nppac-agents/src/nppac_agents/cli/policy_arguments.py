"""The commands that need a run's trained policy: their options."""

from __future__ import annotations

import argparse

from nppac_priors.user_files import user_path

from nppac_agents.cli import policies
from nppac_agents.cli.parser import Parser, command_parser

_PRIOR = "  prior   the behavioural prior that the run fitted, without the agent\n"
_EPILOG = f"""\
POLICY is one of
  best    the policy that the run chose by its evaluations (if none is named)
  last    that of the latest checkpoint
{_PRIOR}  NAME    a checkpoint in RUN_DIR/checkpoints, with or without .safetensors

examples:
"""


def evaluate_parser() -> Parser:
    """`nppac-run evaluate`."""
    parser = command_parser(
        "nppac-run evaluate",
        policies.evaluate,
        "Play episodes with a trained policy and print what it reaches, each measure with its\n"
        "95 % interval over these episodes: Wilson's for a share of episodes, a bootstrap's for\n"
        "others. Without options these are the reporting starts that the run plays at its end.",
        _EPILOG + "  nppac-run evaluate runs/door-nppac-seed0\n"
        "  nppac-run evaluate runs/door-nppac-seed0 --policy last --episodes 50 --json\n"
        "  nppac-run evaluate runs/door-nppac-seed0 --policy prior --stochastic",
    )
    _add_policy(parser)
    add = parser.add_argument
    add(
        "--episodes",
        type=positive,
        metavar="N",
        help="how many (as many as the experiment reports, or evaluates)",
    )
    add(
        "--first-seed",
        type=natural,
        metavar="N",
        help="reset seed of the first, from which the others count up (10000)",
    )
    add(
        "--stochastic",
        action="store_true",
        help="sample actions as in training, instead of the policy's mean action",
    )
    add("--json", action="store_true", help="print a JSON object, with the values of all episodes")
    return parser


def record_parser() -> Parser:
    """`nppac-run record`."""
    parser = command_parser(
        "nppac-run record",
        policies.record,
        "Record episodes of a trained policy, with its action noise, as demonstrations:\n"
        "successful ones, where the task knows success.",
        _EPILOG + "  nppac-run record runs/door-nppac-seed0 --episodes 50 --output more.npz\n"
        "  nppac-run record runs/door-nppac-seed0 --policy last --output more.npz\n"
        "  nppac-run record runs/door-nppac-seed0 --policy prior --deterministic --all \\\n"
        "    --output prior-went.npz\n"
        "  nppac-run record runs/door-nppac-seed0 --replay --output lived.npz",
    )
    _add_policy(parser)
    add = parser.add_argument
    add(
        "--replay",
        action="store_true",
        help="play nothing: all whole episodes in the replay of the latest checkpoint",
    )
    add("--episodes", type=positive, metavar="N", help="episodes to keep (25)")
    add("--first-seed", type=natural, metavar="N", help="seed of the first one (5000)")
    add("--deterministic", action="store_true", help="the policy's mean actions, without noise")
    add("--all", action="store_true", help="keep episodes that fail, too")
    add("--output", type=user_path, required=True, metavar="FILE.npz", help="where they go")
    return parser


def video_parser() -> Parser:
    """`nppac-run video`."""
    parser = command_parser(
        "nppac-run video",
        policies.video,
        "Evaluate a trained policy and film three of its episodes: the first, the worst and the\n"
        "best, by success at the end and then by return. Step and success stand below the picture.",
        _EPILOG + "  nppac-run video runs/door-nppac-seed0\n"
        "  nppac-run video runs/door-nppac-seed0 --policy prior --output prior.gif",
    )
    _add_policy(parser)
    add = parser.add_argument
    add("--episodes", type=positive, default=20, metavar="N", help="episodes to evaluate (20)")
    add("--first-seed", type=natural, metavar="N", help="reset seed of the first (10000)")
    add(
        "--output",
        type=user_path,
        metavar="FILE",
        help="a .mp4 file, which needs the extra nppac-envs[video], or a .gif (RUN_DIR/policy.mp4)",
    )
    return parser


def export_parser() -> Parser:
    """`nppac-run export`."""
    parser = command_parser(
        "nppac-run export",
        policies.export,
        "Write a trained policy as a folder that needs torch and nppac-priors alone:\n\n"
        "  policy = nppac_priors.load_policy(FOLDER)\n"
        "  action = policy.act(observation)   # in the environment's own units, clipped\n"
        "  trust = policy.trust(observation)  # how familiar it is, from 0 to 1\n\n"
        "For `trust` it is measured how sure the prior is of every demonstrated episode that it\n"
        "has not seen: seconds for a Gaussian process, up to ten fits for other priors.",
        _EPILOG.replace(_PRIOR, "") + "  nppac-run export runs/door-nppac-seed0 door-policy\n"
        "  nppac-run export runs/door-nppac-seed0 door-policy --onnx\n"
        "  nppac-run export runs/door-nppac-seed0 door-policy --policy last --no-alarm",
    )
    _add_policy(parser)
    parser.add_argument(
        "folder", type=user_path, metavar="FOLDER", help="where it goes; new or empty"
    )
    parser.add_argument("--no-alarm", action="store_true", help="leave the alarm out")
    parser.add_argument(
        "--distil",
        type=positive,
        nargs="?",
        const=500,
        metavar="POINTS",
        help="make the exact Gaussian process of the prior a sparse one with so many inducing "
        "points (500), chosen for the states that the run visited, for a faster loop, and measure "
        "how far the policy is off at others of them",
    )
    parser.add_argument(
        "--onnx",
        action="store_true",
        help="also write policy.onnx, for runtimes without PyTorch; needs the extra "
        "nppac-priors[onnx]",
    )
    parser.add_argument(
        "--program",
        action="store_true",
        help="also write policy.pt2, a torch.export program, which needs torch alone",
    )
    parser.add_argument(
        "--licence",
        metavar="TEXT",
        help="licence of the policy, for its card: an SPDX name such as MIT, or a line; without "
        "it the card says that there is none",
    )
    return parser


def _add_policy(parser: Parser) -> None:
    parser.add_argument("run_dir", type=user_path, metavar="RUN_DIR", help="a run, finished or not")
    parser.add_argument("--policy", metavar="POLICY", help="which policy of the run; see below")


def positive(text: str) -> int:
    """A whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    return _whole(text, 1)


def natural(text: str) -> int:
    """A whole number of at least 0.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"has to be a whole number from {least} up, got {text!r}")
    return number
