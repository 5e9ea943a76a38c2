"""Runs in Python: `run_experiment` makes one, `load_run` reads one."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nppac_priors.errors import ConfigError
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nppac_priors import Prior

    from nppac_agents.experiment.config import ExperimentConfig
    from nppac_agents.running.run_policy import RunPolicy

Columns = dict[str, NDArray[np.float64]]


class Run:
    """A run by its files, finished or not; everything is read when it is asked for.

    Args:
        path: the run directory.
    """

    def __init__(self, path: str | Path) -> None:
        from nppac_agents.running.run_directory import RunDirectory

        self.directory = RunDirectory(path)
        self.path = self.directory.path

    @functools.cached_property
    def config(self) -> ExperimentConfig:
        """The experiment, every default filled in.

        Raises:
            ConfigError: it is missing, or not valid.
        """
        return self.directory.config()

    @property
    def summary(self) -> dict[str, Any] | None:
        """What `summary.json` holds; None as long as the run has not ended.

        Raises:
            RunDirectoryError: it cannot be read.
        """
        return self.directory.summary()

    @property
    def metrics(self) -> dict[str, Columns]:
        """Numbers over time, by phase (`evaluation`, `reporting`, `online`, ...) and by name.

        Each is an array (n,), one entry an event, NaN where an event lacks the number;
        `env_steps`, `updates` and `wall_seconds` say when it was.

        Raises:
            DataError: `metrics.jsonl` is damaged.
        """
        from nppac_agents.reporting.run_files import RunFiles

        phases: dict[str, list[dict[str, Any]]] = {}
        for event in RunFiles.read(self.path).events:
            phases.setdefault(event["phase"], []).append(event)
        return {phase: _columns(events) for phase, events in phases.items()}

    @property
    def checkpoints(self) -> list[str]:
        """Names that `policy_at` takes, oldest first; the best policy is not among them."""
        from nppac_agents.running.checkpoint import checkpoints

        return [path.stem for path in checkpoints(self.directory.checkpoints)]

    @functools.cached_property
    def policy(self) -> RunPolicy:
        """The best policy, or the last where none was chosen; see `policy_at`."""
        return self.policy_at()

    def policy_at(self, name: str | None = None) -> RunPolicy:
        """A policy, on the CPU: `best`, `last`, `prior`, or a checkpoint's name.

        Raises:
            ConfigError: the run has no such policy.
            DataError, PriorFileError: a file is damaged.
        """
        from nppac_agents.running.run_policy import run_policy

        return run_policy(self.directory, name)

    @functools.cached_property
    def prior(self) -> Prior | None:
        """The prior that the run fitted, on the CPU; None without one.

        Raises:
            PriorFileError: it is damaged.
        """
        from nppac_priors import load_prior

        return load_prior(self.directory.prior) if self.directory.prior.exists() else None

    def __repr__(self) -> str:
        """Where it is, what it is of, how far it is."""
        if not self.directory.config_file.is_file():
            return f"<Run {self.path}: nothing there>"
        env = "no environment" if self.config.env is None else f"env {self.config.env.shown_as}"
        what = f"agent {self.config.agent.kind!r}, {env}, seed {self.config.seed}"
        summary = self.summary
        if summary is None:
            return f"<Run {self.path}: {what}, not finished>"
        return f"<Run {self.path}: {what}, finished at {summary['env_steps']:,} steps>"


def load_run(path: str | Path) -> Run:
    """A run from its directory.

    Raises:
        ConfigError: there is no run.
    """
    run = Run(path)
    if not run.directory.config_file.is_file():
        raise ConfigError(f"{run.path}: holds no run; give a run directory")
    return run


def run_experiment(config: ExperimentConfig, *, resume: bool = False, quiet: bool = True) -> Run:
    """Run an experiment as `nppac-run` does, in this process.

    Args:
        config: as `load_experiment` reads one; `output_dir` names the folder.
        resume: continue what is there.
        quiet: print nothing; else progress, on standard output.

    Returns:
        The finished run.

    Raises:
        ConfigError, DataError: parts do not fit each other, or the folder is in use.
        NumericalError: something that is learned is not finite.
        Interrupted: by Ctrl-C, after a checkpoint.
    """
    from nppac_agents.cli.open_console import open_console
    from nppac_agents.running.ownership import own_run_directory
    from nppac_agents.running.run import run_experiment

    if "{" in config.output_dir:
        raise ConfigError(
            f"output_dir: {config.output_dir!r} has a name to fill in, which only a file has; name "
            "the folder"
        )
    with (
        contextlib.closing(open_console(stream=io.StringIO() if quiet else sys.stdout)) as console,
        own_run_directory(config, resume=resume, take_over=False) as run_dir,
    ):
        run_experiment(config, run_dir=run_dir, console=console, resume=resume)
    return load_run(run_dir.path)


def _columns(events: list[dict[str, Any]]) -> Columns:
    names = dict.fromkeys(
        name for event in events for name, value in event.items() if _is_number(value)
    )
    return {
        name: np.array([_number(event.get(name)) for event in events], np.float64) for name in names
    }


def _number(value: Any) -> float:
    return float(value) if _is_number(value) else math.nan


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
