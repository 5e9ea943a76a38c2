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
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.operations import concatenate, sample, successful
from nppac_envs.errors import ConfigError


def convert(arguments: argparse.Namespace) -> int:
    """Read, concatenate, judge, choose, relabel, split, write; in this order."""
    if (arguments.test_episodes is None) != (arguments.test_output is None):
        raise ConfigError("--test-episodes and --test-output go together")
    demonstrations = concatenate([config.load() for config in source_configs(arguments)])
    demonstrations = _operate(demonstrations, arguments)
    if arguments.test_output is not None:
        demonstrations, test = demonstrations.split(arguments.test_episodes)
        _write(test, arguments.test_output, None)
    _write(demonstrations, arguments.output, arguments.minari)
    return ExitCode.DONE


def _operate(demonstrations: Demonstrations, arguments: argparse.Namespace) -> Demonstrations:
    demonstrations = judged(demonstrations, arguments)
    if arguments.only_successful:
        demonstrations = successful(demonstrations)
    if arguments.sample is not None:
        rng = np.random.default_rng(arguments.seed)
        demonstrations = sample(demonstrations, arguments.sample, rng)
    if arguments.rewards is not None:
        demonstrations = demonstrations.relabelled(arguments.rewards)
    return demonstrations


def _write(demonstrations: Demonstrations, output: Path, minari: str | None) -> None:
    if minari is not None:
        written = write_minari(demonstrations, minari, output)
    elif output.suffix == ".npz":
        demonstrations.save_npz(output)
        written = output
    else:
        raise ConfigError(
            f"{output}: the output must end in .npz, or be the folder of Minari sets with "
            "--minari NAME"
        )
    print(f"wrote {written}")
    print("  " + overview(demonstrations).replace("\n", "\n  "))
