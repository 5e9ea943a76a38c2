"""Runs to be compared: what a comparison needs of each, and that they may be compared at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nppac_priors.errors import ConfigError

from nppac_agents.reporting.measures import Measure, told, told_throughout
from nppac_agents.reporting.run_files import RunFiles

Groups = Mapping[str, Sequence[str | Path]]
"""Run directories by the name of their method; one directory a seed."""


@dataclass(frozen=True)
class ComparedRun:
    """One run of a method.

    Attributes:
        path: its directory.
        seed: of the run.
        protocol: how it was evaluated, by field of its config: environment, episodes, first seed.
        reward: what the environment paid; methods may learn from different ones.
        evaluations: its evaluation events, on selection starts, at least one, in order.
        reported: the event of its last policy on reporting starts; None where there is none.
        summary: None while it is not finished.
    """

    path: Path
    seed: int | None
    protocol: dict[str, Any]
    reward: str | None
    evaluations: list[dict[str, Any]]
    reported: dict[str, Any] | None
    summary: dict[str, Any] | None

    @property
    def took_no_steps(self) -> bool:
        """Whether it is finished without interaction, not merely at its start."""
        return self.summary is not None and not any(e["env_steps"] for e in self.evaluations)

    @property
    def progress(self) -> str:
        """What counts the run's evaluations: `env_steps`, or `updates` where it makes no steps."""
        return "env_steps" if any(e["env_steps"] for e in self.evaluations) else "updates"

    def curve(self, field: str, progress: str) -> dict[float, float]:
        """One measure by `env_steps`, `updates` or `wall_seconds`; nothing where it is null."""
        measured = {event[progress]: event.get(field) for event in self.evaluations}
        return {step: value for step, value in measured.items() if value is not None}


def read_groups(groups: Groups) -> dict[str, list[ComparedRun]]:
    """Read all runs.

    Raises:
        ConfigError: there is nothing to compare, a seed is in one group twice, a group has two
            rewards, or two runs were evaluated or reported by different protocols.
        DataError: a directory is no run, or damaged.
    """
    return checked_groups(
        {name: [read_run(Path(path)) for path in paths] for name, paths in groups.items()}
    )


def checked_groups(runs: dict[str, list[ComparedRun]]) -> dict[str, list[ComparedRun]]:
    """The same runs, which may be compared; success that one of them tells, all of them know.

    Raises:
        ConfigError: they may not; see `read_groups`.
    """
    for name, members in runs.items():
        _check_group(name, members)
    everyone = [run for members in runs.values() for run in members]
    if not everyone:
        raise ConfigError("no runs to compare; give at least one group")
    for run in everyone[1:]:
        _check_protocol(everyone[0], run)
    _check_reporting([run for run in everyone if run.reported])
    if not any(measure.of_success for measure in told_by(runs)):
        return runs
    return {name: [_knowing_success(run) for run in members] for name, members in runs.items()}


def _knowing_success(run: ComparedRun) -> ComparedRun:
    reported = [] if run.reported is None else [run.reported]
    return replace(
        run,
        evaluations=told_throughout(run.evaluations, told_elsewhere=True),
        reported=next(iter(told_throughout(reported, told_elsewhere=True)), None),
    )


def several_rewards(runs: Mapping[str, Sequence[ComparedRun]]) -> bool:
    """Whether the runs' returns count different rewards."""
    return len({run.reward for members in runs.values() for run in members}) > 1


def told_by(runs: Mapping[str, Sequence[ComparedRun]]) -> tuple[Measure, ...]:
    """The measures that the runs' evaluations tell."""
    return told(event for members in runs.values() for run in members for event in run.evaluations)


def read_run(path: Path) -> ComparedRun:
    """One run, finished or not.

    Raises:
        ConfigError: it has no evaluation.
        DataError: the directory is no run, or damaged.
    """
    run = RunFiles.read(path)
    evaluations = [logged.event for logged in run.evaluations]
    if not evaluations:
        raise ConfigError(f"{path}: has no evaluation to compare; leave it out or finish it")
    env = dict(run.setting("env") or {})
    reward = env.pop("reward", None)
    protocol = {f"env.{key}": value for key, value in env.items()} | {
        f"evaluation.{key}": run.setting("evaluation", key) for key in ("episodes", "first_seed")
    }
    reported = None if run.reported is None else run.reported.event
    return ComparedRun(path, run.seed, protocol, reward, evaluations, reported, run.summary)


def _check_group(name: str, runs: Sequence[ComparedRun]) -> None:
    if not runs:
        raise ConfigError(f"group {name!r} has no runs; give at least one or leave it out")
    seen: dict[int | None, ComparedRun] = {}
    for run in runs:
        if run.seed in seen:
            raise ConfigError(
                f"group {name!r} has seed {run.seed} twice, in {seen[run.seed].path} and "
                f"{run.path}; give one run of each seed"
            )
        seen[run.seed] = run
    for run in runs[1:]:
        if run.reward != runs[0].reward:
            raise ConfigError(
                f"group {name!r}: env.reward is {runs[0].reward!r} in {runs[0].path} and "
                f"{run.reward!r} in {run.path}; give each its own group"
            )


def _check_protocol(one: ComparedRun, other: ComparedRun) -> None:
    for field in sorted(one.protocol.keys() | other.protocol.keys()):
        ours, theirs = one.protocol.get(field), other.protocol.get(field)
        if ours != theirs:
            raise ConfigError(
                f"{field} is {ours!r} in {one.path} and {theirs!r} in {other.path}; compare only "
                "runs of one evaluation protocol"
            )


def _check_reporting(runs: Sequence[ComparedRun]) -> None:
    """One set of reporting starts; runs without any are told apart in the table."""
    seeds = [(run.path, run.reported["seeds"]) for run in runs if run.reported]
    for path, theirs in seeds[1:]:
        first, ours = seeds[0]
        if theirs != ours:
            raise ConfigError(
                f"reported on reset seeds {ours[0]} to {ours[1]} in {first} and {theirs[0]} to "
                f"{theirs[1]} in {path}; compare only runs of one evaluation.reporting_episodes"
            )
