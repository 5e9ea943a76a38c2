"""The commands of `nppac-prior`: each takes the parsed arguments and returns an exit code."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nppac_priors.cli.exit_code import ExitCode
from nppac_priors.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from nppac_priors.config import PriorConfig
    from nppac_priors.episodes import Episodes
    from nppac_priors.prior import Prior


def fit(arguments: argparse.Namespace) -> int:
    """Fit a prior and write it."""
    from nppac_priors.cli.subjects import read_configs
    from nppac_priors.episodes import read_episodes

    configs = read_configs([arguments.prior])
    if len(configs) != 1:
        raise ConfigError(f"{arguments.prior}: holds {len(configs)} priors; fit one at a time")
    ((label, config),) = configs.items()
    _require_folder(arguments.output)
    episodes = read_episodes(arguments.data)
    held_out = 0
    if arguments.hold_out != 0:
        split = episodes.hold_out(arguments.hold_out, _generator(arguments.seed))
        episodes, held_out = split.fitted, len(split.held_out_indices)
    prior, seconds = _fitted(label, config, episodes, arguments)
    prior.save(arguments.output)
    print(
        f"{arguments.output}: {config.kind}, fitted to {len(episodes):,} steps of "
        f"{len(episodes.episode_lengths)} episodes in {seconds:.1f} s; {held_out} held out"
    )
    return ExitCode.DONE


def extend(arguments: argparse.Namespace) -> int:
    """Condition a fitted prior on further episodes and write it."""
    from nppac_priors.episodes import read_episodes
    from nppac_priors.loading import load_prior

    _require_folder(arguments.output)
    prior = load_prior(arguments.prior, device=arguments.device)
    episodes = read_episodes(arguments.data)
    prior.extended(episodes.states, episodes.actions).save(arguments.output)
    print(
        f"{arguments.output}: {prior.config.kind}, extended by {len(episodes):,} steps of "
        f"{len(episodes.episode_lengths)} episodes; its hyper-parameters are as they were"
    )
    return ExitCode.DONE


def report(arguments: argparse.Namespace) -> int:
    """Write the health report of one prior or of several, and print its table."""
    from nppac_priors.cli.subjects import read_subjects
    from nppac_priors.cli.tables import health_table
    from nppac_priors.episodes import read_episodes
    from nppac_priors.health.assessment import check_fits
    from nppac_priors.health.report import MOST_PRIORS, write_report
    from nppac_priors.health.visited import read_visited
    from nppac_priors.loading import load_prior

    subjects = read_subjects([arguments.prior, *arguments.compare])
    if len(subjects) > MOST_PRIORS:
        raise ConfigError(f"a report takes up to {MOST_PRIORS} priors, got {len(subjects)}")
    split = read_episodes(arguments.data).hold_out(arguments.hold_out, _generator(arguments.seed))
    loaded = {
        label: check_fits(load_prior(subject, device=arguments.device), split)
        for label, subject in subjects.items()
        if isinstance(subject, Path)
    }
    priors, facts = {}, {}
    for label, subject in subjects.items():
        if isinstance(subject, Path):
            priors[label] = loaded[label]
        else:
            prior, seconds = _fitted(label, subject, split.fitted, arguments)
            priors[label], facts[label] = check_fits(prior, split), {"fit_seconds": seconds}
    visited = None
    if arguments.visited is not None:
        visited = read_visited(arguments.visited, split.fitted.states.shape[1])
    healths = write_report(
        priors,
        split,
        arguments.output,
        generator=_generator(arguments.seed),
        title=arguments.data.stem,
        facts=facts,
        visited=visited,
    )
    print(health_table(healths))
    print(arguments.output / "health.html")
    return ExitCode.DONE


def training(arguments: argparse.Namespace) -> int:
    """Follow the variance off the data while priors train."""
    from nppac_priors.cli.progress import ProgressLine
    from nppac_priors.cli.subjects import read_configs
    from nppac_priors.episodes import read_episodes
    from nppac_priors.health.assessment import Examination
    from nppac_priors.health.report import write_training
    from nppac_priors.health.training import checkpoints, trace_training

    configs = read_configs(arguments.priors)
    for config in configs.values():
        checkpoints(config)
    split = read_episodes(arguments.data).hold_out(arguments.hold_out, _generator(arguments.seed))
    examination = Examination(split, generator=_generator(arguments.seed))
    traces = {}
    for label, config in configs.items():
        with ProgressLine(label, quiet=arguments.quiet) as line:
            traces[label] = trace_training(
                config,
                examination,
                seeds=range(arguments.seeds),
                device=arguments.device,
                progress=lambda seed, steps, line=line: line.about(f"seed {seed}, {steps} steps"),
            )
    print(write_training(traces, configs, arguments.output, title=arguments.data.stem))
    return ExitCode.DONE


def kinds(arguments: argparse.Namespace) -> int:
    """List the kinds of priors, or the fields of one."""
    from nppac_priors.cli.kinds import field_rows, kind_rows, print_missing, print_rows
    from nppac_priors.registry import prior_registry

    registry = prior_registry()
    if arguments.kind is not None:
        rows = field_rows(registry.get(arguments.kind))
    else:
        rows = kind_rows(registry)
    print_rows(rows, as_json=arguments.json)
    if not arguments.json:
        print_missing([registry])
    return ExitCode.DONE


def _fitted(
    label: str, config: PriorConfig, episodes: Episodes, arguments: argparse.Namespace
) -> tuple[Prior, float]:
    """A prior fitted to all these episodes, and how many seconds that took."""
    from nppac_priors.cli.progress import ProgressLine

    started = time.perf_counter()
    with ProgressLine(label, quiet=arguments.quiet) as progress:
        prior = config.fit(
            episodes.states,
            episodes.actions,
            episode_lengths=episodes.episode_lengths,
            device=arguments.device,
            generator=_generator(arguments.seed),
            progress=progress,
        )
    return prior, time.perf_counter() - started


def _generator(seed: int) -> torch.Generator:
    import torch

    return torch.Generator().manual_seed(seed)


def _require_folder(path: Path) -> None:
    """Better said before the fit than after it.

    Raises:
        ConfigError: The folder of a file to be written does not exist.
    """
    if not path.parent.is_dir():
        raise ConfigError(f"{path.parent}: no such folder for {path.name}; make it first")
