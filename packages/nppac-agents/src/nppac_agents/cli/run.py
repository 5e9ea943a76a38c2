"""`nppac-run train` and `extend`: load the experiment, open its run directory, run it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import warnings
from typing import TYPE_CHECKING

from nppac_priors.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from nppac_agents.experiment.config import ExperimentConfig
    from nppac_agents.running.run_directory import RunDirectory


def run(arguments: argparse.Namespace) -> int:
    """Run one experiment; SIGTERM ends it as Ctrl-C does."""
    from nppac_agents.experiment.loading import load_experiment
    from nppac_agents.running.interruption import interruptible
    from nppac_agents.running.ownership import own_run_directory
    from nppac_agents.running.run_directory import RunDirectory

    with interruptible():
        config = load_experiment(arguments.config, _overrides(arguments))
        if arguments.dry_run:
            if not arguments.resume:
                RunDirectory(config.output_dir).check_free()
            with tempfile.TemporaryDirectory(prefix="nppac-") as folder:
                _run(arguments, config, RunDirectory.create(folder, config))
        else:
            options = {"resume": arguments.resume, "take_over": arguments.take_over}
            with own_run_directory(config, **options) as run_dir:
                _run(arguments, config, run_dir)
    return ExitCode.DONE


def extend(arguments: argparse.Namespace) -> int:
    """Goes on with a run, finished or not, to more environment steps."""
    from nppac_priors.errors import ConfigError

    from nppac_agents.experiment.loading import load_experiment
    from nppac_agents.running.interruption import interruptible
    from nppac_agents.running.ownership import own_run_directory
    from nppac_agents.running.run_directory import RunDirectory

    with interruptible():
        run_dir = RunDirectory(arguments.run_dir)
        planned = run_dir.config().training.env_steps
        if arguments.env_steps <= planned:
            raise ConfigError(
                f"{run_dir.path}: is a run of {planned:,} environment steps; --env-steps has to be "
                f"above (nppac-run {run_dir.config_file} --resume goes on after an interruption)"
            )
        overrides = [
            *arguments.overrides,
            f"training.env_steps={arguments.env_steps}",
            f"output_dir={json.dumps(str(run_dir.path))}",
        ]
        config = load_experiment(run_dir.config_file, overrides)
        options = {"resume": True, "take_over": arguments.take_over}
        with own_run_directory(config, **options) as owned:
            _run(arguments, config, owned)
    return ExitCode.DONE


def _run(arguments: argparse.Namespace, config: ExperimentConfig, run_dir: RunDirectory) -> None:
    from nppac_agents.cli.open_console import open_console
    from nppac_agents.running.run import run_experiment

    hide_deprecations(arguments)
    options = {
        "dry_run": arguments.dry_run,
        "resume": arguments.resume and not arguments.dry_run,
        "shared_fits": arguments.shared_fits,
    }
    with contextlib.closing(open_console(quiet=arguments.quiet)) as console:
        run_experiment(config, run_dir=run_dir, console=console, **options)


def hide_deprecations(arguments: argparse.Namespace) -> None:
    """Hides what importing Tianshou switches on: the deprecation warnings of all libraries."""
    if not (arguments.debug or sys.warnoptions):
        warnings.simplefilter("ignore", DeprecationWarning)


def _overrides(arguments: argparse.Namespace) -> list[str]:
    """Those of `--set`, then the options that have a name of their own."""
    named = {name: getattr(arguments, name) for name in ("output_dir", "seed", "device")}
    return arguments.overrides + [
        f"{name}={json.dumps(value)}" for name, value in named.items() if value is not None
    ]
