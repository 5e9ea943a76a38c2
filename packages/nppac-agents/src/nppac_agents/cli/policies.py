"""The commands that need a run's trained policy: each takes the parsed arguments."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nppac_priors.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from nppac_agents.running.console import Console
    from nppac_agents.running.run_directory import RunDirectory

_EPISODES, _FIRST_SEED = 25, 5000
"""That are recorded, if nothing else is said"""


@contextlib.contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[tuple[RunDirectory, Console]]:
    """The run that is named, and where progress goes."""
    from nppac_agents.cli.open_console import open_console
    from nppac_agents.cli.run import hide_deprecations
    from nppac_agents.running.run_directory import RunDirectory

    hide_deprecations(arguments)
    with contextlib.closing(open_console()) as console:
        yield RunDirectory(arguments.run_dir), console


def evaluate(arguments: argparse.Namespace) -> int:
    """Play episodes with a run's policy and print what it reaches."""
    from nppac_agents.cli.run import hide_deprecations
    from nppac_agents.running.run_directory import RunDirectory
    from nppac_agents.running.run_evaluation import evaluate

    hide_deprecations(arguments)
    result = evaluate(
        RunDirectory(arguments.run_dir),
        arguments.policy,
        episodes=arguments.episodes,
        first_seed=arguments.first_seed,
        deterministic=not arguments.stochastic,
    )
    print(json.dumps(result.as_json(), indent=2) if arguments.json else result.as_text())
    return ExitCode.DONE


def record(arguments: argparse.Namespace) -> int:
    """Record demonstrations from a run's policy, or keep those that it learned from."""
    from nppac_agents.running.lived_episodes import lived_episodes
    from nppac_agents.running.play import record

    with _opened(arguments) as (run_dir, console):
        if arguments.replay:
            _refuse_choices(arguments)
            lived = lived_episodes(run_dir)
            lived.save_npz(arguments.output)
            console.line(f"{arguments.output}: {lived.n_episodes} episodes, {len(lived):,} steps")
            return ExitCode.DONE
        record(
            run_dir,
            _EPISODES if arguments.episodes is None else arguments.episodes,
            _FIRST_SEED if arguments.first_seed is None else arguments.first_seed,
            console,
            arguments.output,
            policy=arguments.policy,
            deterministic=arguments.deterministic,
            keep_all=arguments.all,
        )
    return ExitCode.DONE


def _refuse_choices(arguments: argparse.Namespace) -> None:
    """What says how to play is of no meaning where nothing is played."""
    from nppac_priors.errors import ConfigError

    names = ("policy", "episodes", "first_seed", "deterministic", "all")
    given = [name for name in names if getattr(arguments, name) not in (None, False)]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise ConfigError(f"{option} says how to play, and --replay plays nothing; leave one out")


def video(arguments: argparse.Namespace) -> int:
    """Film episodes of a run's policy."""
    from nppac_agents.running.filming import choose_renderer

    choose_renderer()
    from nppac_agents.running.run_video import film

    with _opened(arguments) as (run_dir, console):
        film(
            run_dir,
            arguments.output or arguments.run_dir / "policy.mp4",
            arguments.policy,
            episodes=arguments.episodes,
            first_seed=arguments.first_seed,
            console=console,
        )
    return ExitCode.DONE


def export(arguments: argparse.Namespace) -> int:
    """Write a run's policy as a folder that needs no run."""
    from nppac_agents.running.export import export

    with _opened(arguments) as (run_dir, console):
        export(
            run_dir,
            arguments.folder,
            arguments.policy,
            console,
            with_alarm=not arguments.no_alarm,
            distil=arguments.distil,
            onnx=arguments.onnx,
            program=arguments.program,
            licence=arguments.licence,
        )
    return ExitCode.DONE
