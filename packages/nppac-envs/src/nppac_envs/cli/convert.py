"""`nppac-demos convert`: sets in, operations on them, one set (or two) out."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.inspect import overview
from nppac_envs.cli.judging import judged
from nppac_envs.cli.source_options import source_configs
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.lerobot_writer import write_lerobot
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.operations import concatenate, sample, successful
from nppac_envs.demonstrations.repairs import cut, joined, without_repeats
from nppac_envs.demonstrations.robomimic_writer import write_robomimic
from nppac_envs.errors import ConfigError


def convert(arguments: argparse.Namespace) -> int:
    """Read, concatenate, repair, judge, choose, relabel, split, write; in this order."""
    if (arguments.test_episodes is None) != (arguments.test_output is None):
        raise ConfigError("--test-episodes and --test-output go together")
    demonstrations = concatenate([config.load() for config in source_configs(arguments)])
    demonstrations = _operate(demonstrations, arguments)
    if arguments.test_output is not None:
        demonstrations, test = demonstrations.split(arguments.test_episodes)
        _write(test, arguments.test_output, None, arguments.fps)
    _write(demonstrations, arguments.output, arguments.minari, arguments.fps)
    return ExitCode.DONE


def _operate(demonstrations: Demonstrations, arguments: argparse.Namespace) -> Demonstrations:
    if arguments.cut is not None:
        demonstrations = cut(demonstrations, arguments.cut)
    if arguments.join is not None:
        demonstrations = joined(demonstrations, arguments.join)
    if arguments.drop_repeats:
        demonstrations = without_repeats(demonstrations)
    demonstrations = judged(demonstrations, arguments)
    if arguments.only_successful:
        demonstrations = successful(demonstrations)
    if arguments.sample is not None:
        rng = np.random.default_rng(arguments.seed)
        demonstrations = sample(demonstrations, arguments.sample, rng)
    if arguments.rewards is not None:
        demonstrations = demonstrations.relabelled(arguments.rewards)
    return demonstrations


def _write(
    demonstrations: Demonstrations, output: Path, minari: str | None, fps: int | None
) -> None:
    """Write a set in the format that the output's name tells."""
    written = output
    if fps is not None and (minari is not None or output.suffix):
        raise ConfigError(f"{output}: --fps is for LeRobot folders, whose names have no ending")
    if minari is not None:
        written = write_minari(demonstrations, minari, output)
    elif output.suffix == ".npz":
        demonstrations.save_npz(output)
    elif output.suffix in (".hdf5", ".h5"):
        write_robomimic(demonstrations, output)
    elif not output.suffix:
        write_lerobot(demonstrations, output, fps=10 if fps is None else fps)
    else:
        raise ConfigError(
            f"{output}: must end in .npz or .hdf5 (robomimic), have no ending (a LeRobot folder), "
            "or be a folder of Minari sets with --minari NAME"
        )
    print(f"wrote {written}")
    print("  " + overview(demonstrations).replace("\n", "\n  "))
