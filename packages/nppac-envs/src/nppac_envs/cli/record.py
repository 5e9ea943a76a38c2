"""`nppac-demos record`: new demonstrations from a function or a random process."""

from __future__ import annotations

import argparse
import sys

from nppac_envs.checked import make_checked
from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.inspect import overview
from nppac_envs.cli.task import chosen_task
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import few_successes
from nppac_envs.demonstrations.recording import record as play
from nppac_envs.errors import ConfigError


def record(arguments: argparse.Namespace) -> int:
    """Record, write, and say what was written."""
    if arguments.output.suffix != ".npz":
        raise ConfigError(f"{arguments.output}: the output must end in .npz")
    config = chosen_task(arguments.task, arguments)
    env = make_checked(config)
    action_dim = env.action_space.shape[0]  # pyright: ignore[reportOptionalSubscript]
    env.close()
    policy = find_policy(arguments.policy, action_dim, arguments.first_seed)

    def show(kept: int, played: int) -> None:
        if sys.stderr.isatty():
            print(f"\rkept {kept}, played {played}", end="", file=sys.stderr, flush=True)

    demonstrations, played = play(
        config,
        policy,
        arguments.episodes,
        first_seed=arguments.first_seed,
        keep=arguments.only_successful or "all",
        source=f"{arguments.policy} in {arguments.task}",
        on_episode=show,
    )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    demonstrations.save_npz(arguments.output)
    print(f"wrote {arguments.output}: {arguments.episodes} of {played} episodes played")
    if (remark := few_successes(demonstrations.n_episodes, played)) is not None:
        print(f"warning: {remark}", file=sys.stderr)
    print("  " + overview(demonstrations).replace("\n", "\n  "))
    return ExitCode.DONE
