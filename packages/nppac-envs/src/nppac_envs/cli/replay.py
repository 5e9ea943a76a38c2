"""`nppac-demos replay`: recorded actions simulated again, as a table or JSON."""

from __future__ import annotations

import argparse
import json

from nppac_envs.cli.exit_code import ExitCode
from nppac_envs.cli.source_options import chosen_episodes, source_configs
from nppac_envs.cli.table import table
from nppac_envs.cli.task import chosen_task
from nppac_envs.demonstrations.resimulation import Replayed
from nppac_envs.demonstrations.resimulation import replay as simulate

_WORDS = {None: "-", True: "yes", False: "no"}


def replay(arguments: argparse.Namespace) -> int:
    """Print how far each simulation goes from the record, and the two outcomes."""
    demonstrations = source_configs(arguments)[0].load()
    env = chosen_task(arguments.task, arguments)
    episodes = chosen_episodes(arguments.episodes, demonstrations)
    results = list(simulate(demonstrations, env, episodes, first_seed=arguments.first_seed))
    if arguments.json:
        print(json.dumps([_row(result) for result in results]))
        return ExitCode.DONE
    header = ("episode", "steps", "at start", "largest", "above 0.1 at", "recorded", "simulated")
    print(table([header, *map(_cells, results)]))
    print(f"\n{how_started(results[0].by_seed, arguments.first_seed)}")
    print("differences of states, in standard deviations of each entry over the set")
    known = [r for r in results if None not in (r.recorded, r.simulated)]
    if known:
        print(
            f"success: {sum(bool(r.recorded) for r in known)} recorded, "
            f"{sum(bool(r.simulated) for r in known)} simulated, "
            f"the same in {sum(r.recorded == r.simulated for r in known)} of {len(known)} episodes"
        )
    return ExitCode.DONE


def how_started(by_seed: bool, first_seed: int) -> str:
    """What a simulation began with, in words."""
    if by_seed:
        return (
            f"started by reset seeds from {first_seed}: the environment has no start_from, by "
            "which its state could be set"
        )
    return "started where the first observations say"


def _row(result: Replayed) -> dict[str, object]:
    return {
        "episode": result.episode,
        "steps": len(result.deviations) - 1,
        "at_start": float(result.deviations[0]),
        "largest": float(result.deviations.max()),
        "leaves_at": result.leaves_at,
        "recorded": result.recorded,
        "simulated": result.simulated,
        "by_seed": result.by_seed,
    }


def _cells(result: Replayed) -> tuple[str, ...]:
    return (
        str(result.episode),
        str(len(result.deviations) - 1),
        f"{result.deviations[0]:.1e}",
        f"{result.deviations.max():.3g}",
        "never" if result.leaves_at is None else str(result.leaves_at),
        _WORDS[result.recorded],
        _WORDS[result.simulated],
    )
