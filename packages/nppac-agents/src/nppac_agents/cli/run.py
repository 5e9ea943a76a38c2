"""`nppac-run CONFIG`: load the experiment, open its run directory, run it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import warnings

from nppac_priors.cli.exit_code import ExitCode


def run(arguments: argparse.Namespace) -> int:
    """Runs one experiment."""
    from nppac_agents.cli.open_console import open_console
    from nppac_agents.experiment.loading import load_experiment
    from nppac_agents.running.run_directory import RunDirectory

    config = load_experiment(arguments.config, _overrides(arguments))
    if not arguments.resume:
        RunDirectory(config.output_dir).check_free()
    from nppac_agents.running.run import run_experiment

    hide_deprecations(arguments)
    with contextlib.closing(open_console(quiet=arguments.quiet)) as console:
        if arguments.dry_run:
            with tempfile.TemporaryDirectory(prefix="nppac-") as folder:
                run_dir = RunDirectory.create(folder, config)
                run_experiment(config, run_dir=run_dir, console=console, dry_run=True)
            return ExitCode.DONE
        start = RunDirectory.resume if arguments.resume else RunDirectory.create
        run_dir = start(config.output_dir, config)
        try:
            run_experiment(config, run_dir=run_dir, console=console, resume=arguments.resume)
        except BaseException:
            run_dir.discard_unused()
            raise
    return ExitCode.DONE


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
