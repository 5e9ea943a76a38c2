"""`nppac-run sweep` and `nppac-run status`: studies, which are many runs."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any

from nppac_priors.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from nppac_agents.studies.study import Study
    from nppac_agents.studies.sweep import Sweep


def sweep(arguments: argparse.Namespace) -> int:
    """Run a study, after all of it was checked; SIGTERM ends it as Ctrl-C does."""
    from nppac_priors.errors import ConfigError

    study = study_of(arguments)
    from nppac_agents.studies.checks import check_parts

    study.check()
    try:
        check_parts(study.points, fetch=not arguments.dry_run)
    except ConfigError:
        _tell_how_data_are_made(study)
        raise
    if arguments.dry_run:
        return _list(study)
    with study.owned():
        given_up = run_all(study)
        _compare(study)
    return ExitCode.FAILED if given_up else ExitCode.DONE


def status(arguments: argparse.Namespace) -> int:
    """Show how the runs of a study stand, those of a search too; on a terminal, until it ends."""
    from nppac_agents.cli.commands import table
    from nppac_agents.running.lock import living_owner
    from nppac_agents.studies.study import Study
    from nppac_agents.studies.table import problems, rows, totals
    from nppac_agents.studies.view import open_view, read_all

    study = Study.read(arguments.study)
    study.add_tried()
    if sys.stdout.isatty():
        with contextlib.closing(open_view(study, sys.stdout)) as view:
            view.show(study.given_up())
            while living_owner(study.lock) is not None:
                time.sleep(1.0)
                study.add_tried()
                view.show(study.given_up())
        return ExitCode.DONE
    found = read_all(study, study.given_up())
    print(table(rows(found)))
    for line in [totals(found), *problems(found)]:
        print(line)
    return ExitCode.DONE


def offline_sets(arguments: argparse.Namespace) -> int:
    """Make sets like those of D4RL from a study's runs, and tell what is in each."""
    from nppac_agents.cli.commands import table
    from nppac_agents.cli.open_console import open_console
    from nppac_agents.studies.offline_sets import make_offline_sets, told
    from nppac_agents.studies.study import Study

    study = Study.read(arguments.study)
    with contextlib.closing(open_console()) as console:
        made = make_offline_sets(study, arguments.output, steps=arguments.steps, console=console)
        rows = [told(one) for one in made]
    print(table([list(rows[0]), *(row.values() for row in rows)]))
    return ExitCode.DONE


def study_of(arguments: argparse.Namespace) -> Study:
    """The study that a command names, with what its options replace; not checked yet."""
    from nppac_agents.cli.run import hide_deprecations
    from nppac_agents.studies.loading import load_study
    from nppac_agents.studies.study import Study

    hide_deprecations(arguments)
    return Study.of(load_study(arguments.study, _options(arguments)), str(arguments.study))


def run_all(study: Study, steer: Callable[[Sweep], None] | None = None) -> dict[str, str]:
    """Run a study whose folder is owned; returns, and tells, the problems of runs given up."""
    from nppac_agents.studies.sweep import Sweep
    from nppac_agents.studies.view import open_view

    with contextlib.closing(open_view(study, sys.stdout)) as view:
        running = Sweep(study, view) if steer is None else Sweep(study, view, steer)
        running.run()
    for name, problem in running.given_up.items():
        print(f"error: {name}: given up: {problem}", file=sys.stderr)
    return running.given_up


def _list(study: Study) -> int:
    from nppac_agents.cli.commands import table
    from nppac_agents.reporting.durations import duration
    from nppac_agents.reporting.measures import NOTHING
    from nppac_agents.studies.estimate import estimates

    found = estimates(study.runs)
    rows = [
        [name, NOTHING if seconds is None else duration(seconds), how]
        for name, (seconds, how) in found.items()
    ]
    print(table(rows))
    left = sum(seconds or 0.0 for seconds, how in found.values() if how != "took")
    with study.config.executor.open() as workers:
        places = workers.places
    untimed = sum(seconds is None for seconds, _ in found.values())
    besides = f", nor are {untimed} runs that are not timed" if untimed else ""
    print(
        f"{len(found)} runs in {study.path}; about {duration(left / places)} to go with {places} "
        f"at a time, fits of priors not counted{besides}"
    )
    return ExitCode.DONE


def _tell_how_data_are_made(study: Study) -> None:
    """The study's own comment, where demonstrations are missing that its commands make."""
    from nppac_envs.errors import EnvsError

    try:
        for point in study.points:
            if point.config.demonstrations is not None:
                point.config.demonstrations.require_files()
    except EnvsError:
        for line in study.config.comment:
            print(f"{study.path.name}: {line}", file=sys.stderr)


def _compare(study: Study) -> None:
    from nppac_agents.studies.comparison import compare_study

    page = compare_study(study)
    if page is not None:
        print(f"comparison: {page}")


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields of the study that options replace."""
    from nppac_agents.studies.loading import axis, executor, field, seeds

    options: dict[str, Any] = {}
    given = {name: value for name, value in vars(arguments).items() if value not in (None, [])}
    if "grid" in given:
        options["grid"] = dict(map(axis, given["grid"]))
    if "overrides" in given:
        options["set"] = dict(map(field, given["overrides"]))
    if "seeds" in given:
        options["seeds"] = seeds(given["seeds"])
    if "executor" in given:
        options["executor"] = executor(given["executor"])
    return options | {n: given[n] for n in ("budget", "failures", "output_dir") if n in given}
