"""The settings that a search has tried, kept by Optuna in a journal: lines of JSON, no pickle.

Optuna's sampler keeps nothing of its own: what it suggests follows from the trials that are there
and from a seed, which is another one for each trial, so that a search that was stopped does not
start from its first suggestions again.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nppac_priors.errors import ConfigError

from nppac_agents.experiment.loading import experiment_of, set_field
from nppac_agents.running.run_directory import config_hash, resolved
from nppac_agents.studies.expansion import Point
from nppac_agents.studies.tuning import Choice, Dimension, IntRange, LogRange, TuningConfig

if TYPE_CHECKING:
    import optuna


class Trials:
    """The trials of one point.

    Args:
        point: whose settings are searched.
        tuning: how.
        journal: file of all points' trials, which this process owns.

    Raises:
        ConfigError: Optuna is missing, or the journal has trials of another search.
    """

    def __init__(self, point: Point, tuning: TuningConfig, journal: Path) -> None:
        optuna = _imported()
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        self.point, self._tuning, self._optuna = point, tuning, optuna
        startup = tuning.pruning_after
        self._study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name=point.name,
            direction="maximize",
            pruner=optuna.pruners.NopPruner()
            if startup is None
            else optuna.pruners.MedianPruner(n_startup_trials=startup),
            load_if_exists=True,
        )
        self._require_same(journal)

    @property
    def all(self) -> list[optuna.trial.FrozenTrial]:
        """All trials, in their order."""
        return self._study.get_trials(deepcopy=False)

    def unfinished(self) -> list[optuna.Trial]:
        """Trials of an earlier process that go on."""
        running = self._study.get_trials(states=(self._optuna.trial.TrialState.RUNNING,))
        return [self._optuna.Trial(self._study, one._trial_id) for one in running]

    def ask(self) -> optuna.Trial:
        """The next trial."""
        seed = np.random.SeedSequence([self._tuning.seed, len(self.all)]).generate_state(1)[0]
        self._study.sampler = self._optuna.samplers.TPESampler(seed=int(seed))
        space = {path: _distribution(self._optuna, d) for path, d in self._tuning.space.items()}
        return self._study.ask(space)

    def tell(self, trial: optuna.Trial, value: float | None, *, early: bool = False) -> None:
        """End a trial: with its value, early, or without one since its runs failed."""
        states = self._optuna.trial.TrialState
        if early:
            self._study.tell(trial, state=states.PRUNED)
        elif value is None:
            self._study.tell(trial, state=states.FAIL)
        else:
            self._study.tell(trial, value)

    def point_of(self, number: int, parameters: Mapping[str, Any]) -> Point:
        """The point with a trial's settings, named after it."""
        values = {**self.point.values, "trial": str(number)}
        return with_settings(self.point, settings(self._tuning, parameters), values)

    def best(self) -> optuna.trial.FrozenTrial | None:
        """The complete trial with the largest value; None as long as there is none."""
        complete = [t for t in self.all if t.state == self._optuna.trial.TrialState.COMPLETE]
        return max(complete, key=lambda trial: trial.value or 0.0, default=None)

    def importance(self) -> dict[str, float]:
        """What share each field has in the differences between trials; none of too few trials."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                evaluator = self._optuna.importance.PedAnovaImportanceEvaluator()
                found = self._optuna.importance.get_param_importances(
                    self._study, evaluator=evaluator
                )
            except (ValueError, RuntimeError):
                return {}
        return found if np.isfinite(list(found.values())).all() and any(found.values()) else {}

    def _require_same(self, journal: Path) -> None:
        """Trials are of one space, measure, seeds and experiment, or they say nothing together."""
        ours = {
            "tuning.space": self._tuning.model_dump(mode="json", include={"space"}),
            "tuning.measure": self._tuning.measure,
            "tuning.seeds": list(self._tuning.seeds),
            "the experiment": config_hash(self.point.config),
        }
        for name, value in ours.items():
            theirs = self._study.user_attrs.get(name)
            if theirs is None:
                self._study.set_user_attr(name, value)
            elif theirs != json.loads(json.dumps(value)):
                raise ConfigError(
                    f"{journal}: has trials of {self.point.name} from before {name} was changed; "
                    "undo the change, or choose another output_dir"
                )


def settings(tuning: TuningConfig, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What a trial's parameters set, by dotted path."""
    return {
        path: json.loads(parameters[path]) if isinstance(one, Choice) else parameters[path]
        for path, one in tuning.space.items()
    }


def with_settings(point: Point, values: Mapping[str, Any], names: Mapping[str, str]) -> Point:
    """The same point with other settings.

    Raises:
        ConfigError: its experiment does not have them, or not so.
    """
    data = resolved(point.config)
    for path, value in values.items():
        set_field(data, path, value)
    config = experiment_of(data, where=point.name, name=point.experiment)
    return Point(point.experiment, names, config)


def check_space(point: Point, tuning: TuningConfig) -> None:
    """Validate the ends of every range, every choice, and that there is something to measure.

    Raises:
        ConfigError: the experiment has no such field, not such a value, or not such a measure.
    """
    env = point.config.env
    if env is None:
        raise ConfigError(f"{point.name}: has no environment, so that nothing is measured")
    if tuning.measure != "return_mean" and env.has_success is False:
        raise ConfigError(
            f"{point.name}: {env.kind} has no success; set tuning.measure to return_mean"
        )
    for path, one in tuning.space.items():
        for value in one.choices if isinstance(one, Choice) else (one.low, one.high):
            with_settings(point, {path: value}, point.values)


def mend(journal: Path) -> None:
    """Remove what a kill in the middle of a line leaves, and its lock; the file has to be ours."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)
    if journal.exists():
        text = journal.read_bytes()
        whole = text.rfind(b"\n") + 1
        if whole < len(text):
            with journal.open("r+b") as file:
                file.truncate(whole)


def _distribution(module: Any, one: Dimension) -> Any:
    if isinstance(one, Choice):
        return module.distributions.CategoricalDistribution(one.names)
    if isinstance(one, IntRange):
        return module.distributions.IntDistribution(one.low, one.high)
    return module.distributions.FloatDistribution(one.low, one.high, log=isinstance(one, LogRange))


def _imported() -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigError('tuning needs Optuna: pip install "nppac-agents[tune]"') from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
