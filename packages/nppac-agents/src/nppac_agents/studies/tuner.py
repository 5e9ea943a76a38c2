"""Steers a sweep through a search: asks for trials as there is room, and stops hopeless ones."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from nppac_agents.studies.expansion import StudyRun
from nppac_agents.studies.reached import is_finished
from nppac_agents.studies.study import Study
from nppac_agents.studies.sweep import Sweep
from nppac_agents.studies.trials import Trials

if TYPE_CHECKING:
    import optuna

PERIOD = 1.0
"""Seconds between two looks at the evaluations of what runs."""


@dataclass
class _Open:
    """A trial whose runs are not all done."""

    trials: Trials
    trial: optuna.Trial
    runs: list[StudyRun]
    reported: set[int]


@final
class Tuner:
    """What a `Sweep` is steered by.

    Args:
        study: that trials are of; its folder is owned.
        trials: of each point.
    """

    def __init__(
        self,
        study: Study,
        trials: Sequence[Trials],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert study.config.tuning is not None
        self._study, self._trials, self._clock = study, trials, clock
        self._tuning = study.config.tuning
        self._open: list[_Open] = []
        self._looked = -PERIOD
        self._resumed = False

    def __call__(self, sweep: Sweep) -> None:
        """Look how the open trials do, and open more."""
        if not self._resumed:
            self._resumed = True
            for trials in self._trials:
                for trial in trials.unfinished():
                    self._start(trials, trial, sweep)
        due = self._clock() - self._looked >= PERIOD
        if due:
            self._looked = self._clock()
        for one in list(self._open):
            self._look(one, sweep, due)
        while sweep.free and (trials := self._least()):
            self._start(trials, trials.ask(), sweep)

    def _least(self) -> Trials | None:
        """The point with the fewest trials, so that all get on alike."""
        missing = [one for one in self._trials if len(one.all) < self._tuning.trials]
        return min(missing, key=lambda one: len(one.all), default=None)

    def _start(self, trials: Trials, trial: optuna.Trial, sweep: Sweep) -> None:
        point = trials.point_of(trial.number, trial.params)
        self._study.write(point)
        runs = self._study.of_trial(point)
        reported = set(trials.all[trial.number].intermediate_values)
        self._open.append(_Open(trials, trial, runs, reported))
        for run in runs:
            sweep.add(run)

    def _look(self, one: _Open, sweep: Sweep, due: bool) -> None:
        """End a trial whose runs are done or given up, or, if a look is due, a hopeless one."""
        finished = all(is_finished(run.path) for run in one.runs)
        if any(run.name in sweep.given_up for run in one.runs):
            self._end(one, None, sweep)
        elif finished or due:
            found = [evaluations(run.path, self._tuning.measure) for run in one.runs]
            curves = [{step: value or 0.0 for step, value in run.items()} for run in found]
            hopeless = self._report(one, curves)
            if finished:
                self._tell_if_untold(one, found, sweep)
                last = [list(curve.values())[-1] for curve in curves]
                self._end(one, float(np.mean(last)), sweep)
            elif hopeless:
                self._end(one, None, sweep, early=True)

    def _tell_if_untold(
        self, one: _Open, found: Sequence[Mapping[int, float | None]], sweep: Sweep
    ) -> None:
        """Say of the first trial of a point that no evaluation of it told success."""
        untold = all(value is None for curve in found for value in curve.values())
        if untold and one.trial.number == 0:
            sweep.say(
                f"warning: no step of any evaluation of {one.runs[0].name} told success, so that "
                f"its {self._tuning.measure} counts as 0; if the task never tells it, set "
                "tuning.measure to return_mean, or env.success to what tells it"
            )

    def _report(self, one: _Open, curves: Sequence[Mapping[int, float]]) -> bool:
        """Tell Optuna what all seeds have been evaluated at; whether it finds that hopeless."""
        common = set.intersection(*(set(curve) for curve in curves))
        for step in sorted(common - one.reported - {0}):
            one.reported.add(step)
            one.trial.report(float(np.mean([curve[step] for curve in curves])), step)
            if one.trial.should_prune():
                return True
        return False

    def _end(self, one: _Open, value: float | None, sweep: Sweep, *, early: bool = False) -> None:
        one.trials.tell(one.trial, value, early=early)
        self._open.remove(one)
        for run in one.runs:
            if not is_finished(run.path):
                sweep.drop(run)


def evaluations(path: Path, measure: str) -> dict[int, float | None]:
    """The values of a run's evaluations by environment steps; None where no step told success."""
    found: dict[int, float | None] = {}
    with contextlib.suppress(OSError), (path / "metrics.jsonl").open(encoding="utf-8") as file:
        for line in file:
            if '"evaluation"' not in line or not line.endswith("\n"):
                continue
            event = json.loads(line)
            if event.get("event") == "evaluation":
                found[event["env_steps"]] = event.get(measure)
    return found
