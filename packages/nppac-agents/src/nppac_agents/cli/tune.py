"""`nppac-run tune`: search the settings of a study's points, on seeds of their own."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from nppac_priors.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from nppac_agents.studies.study import Study
    from nppac_agents.studies.trials import Trials


def tune(arguments: argparse.Namespace) -> int:
    """Search, or go on with a search, and say what was found."""
    from nppac_priors.errors import ConfigError

    from nppac_agents.cli.sweep import study_of
    from nppac_agents.studies.trials import Trials, check_space, mend

    study = study_of(arguments)
    tuning = study.config.tuning
    if tuning is None:
        raise ConfigError(f"{arguments.study}: has no field tuning, which says what to search")
    from nppac_agents.studies.checks import check_parts

    study.check()
    for point in study.points:
        check_space(point, tuning)
    check_parts(study.points)
    with study.owned():
        journal = study.path / "tuning" / "trials.journal"
        mend(journal)
        trials = [Trials(point, tuning, journal) for point in study.points]
        try:
            given_up = _search(study, trials)
        finally:
            _tell(study, trials)
    return ExitCode.FAILED if given_up else ExitCode.DONE


def _search(study: Study, trials: list[Trials]) -> dict[str, str]:
    from nppac_agents.cli.sweep import run_all
    from nppac_agents.studies.tuner import Tuner

    of_trials = dataclasses.replace(study, points=[], runs=[])
    return run_all(of_trials, Tuner(of_trials, trials))


def _tell(study: Study, found: list[Trials]) -> None:
    from nppac_agents.cli.commands import table
    from nppac_agents.studies.tuned import headline, rows, write_tuned

    assert study.config.tuning is not None
    folder = study.path / "tuning"
    write_tuned(folder, study.config.tuning, found)
    for trials in found:
        print(headline(study.config.tuning, trials))
        if trials.best() is not None:
            print(table(rows(study.config.tuning, trials)))
            best = folder / "best" / f"{trials.point.name}.json"
            print(f"nppac-run sweep {best} --seeds 0:5    runs it with seeds of reporting")
