"""`--judge KIND`: success by the rule of a task, or as an environment reports it when simulated."""

from __future__ import annotations

import argparse
import sys

from nppac_envs.cli.replay import how_started
from nppac_envs.cli.task import chosen_task
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.resimulation import simulated_successes
from nppac_envs.foreign.config import GymnasiumConfig


def judged(demonstrations: Demonstrations, arguments: argparse.Namespace) -> Demonstrations:
    """The demonstrations with success as `--judge` says; as they are without it.

    An environment of somebody else has no rule on states: it plays the actions, and how it was
    started is said on standard error.
    """
    if arguments.judge is None:
        return demonstrations
    if arguments.judge != GymnasiumConfig.model_fields["kind"].default:
        return demonstrations.judged(arguments.judge)
    config = chosen_task(arguments.judge, arguments)
    first_seed = arguments.first_seed
    demonstrations, by_seed = simulated_successes(demonstrations, config, first_seed=first_seed)
    print(f"judged by a simulation, {how_started(by_seed, first_seed)}", file=sys.stderr)
    return demonstrations
