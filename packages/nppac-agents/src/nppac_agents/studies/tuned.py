"""What a search has found: a file of all trials, and each point's experiment with the best."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nppac_priors.atomic_files import write_json

from nppac_agents.reporting.measures import BY_FIELD, NOTHING
from nppac_agents.running.run_directory import resolved
from nppac_agents.studies.trials import Trials, settings, with_settings
from nppac_agents.studies.tuning import TuningConfig


def write_tuned(folder: Path, tuning: TuningConfig, found: Sequence[Trials]) -> None:
    """Write `trials.json`, and `best/POINT.json` for each point that has a complete trial.

    Args:
        folder: of the search.
        tuning: how was searched.
        found: the trials of each point.

    Raises:
        OSError: it cannot be written.
    """
    records = [record for trials in found for record in _records(tuning, trials)]
    write_json(folder / "trials.json", {"measure": tuning.measure, "trials": records})
    for trials in found:
        if (best := trials.best()) is not None:
            point = trials.point
            point = with_settings(point, settings(tuning, best.params), point.values)
            data = {k: v for k, v in resolved(point.config).items() if k != "output_dir"}
            write_json(folder / "best" / f"{point.name}.json", {**data, "seed": 0})


def rows(tuning: TuningConfig, trials: Trials) -> list[list[str]]:
    """A table of one point: a head, and a row for each field of the space."""
    best, importance = trials.best(), trials.importance()
    values = {} if best is None else settings(tuning, best.params)
    table = [["field", "best", "importance"]]
    for path in tuning.space:
        value = values.get(path, NOTHING)
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        share = f"{importance[path]:.0%}" if path in importance else NOTHING
        table.append([path, shown, share])
    return table


def headline(tuning: TuningConfig, trials: Trials) -> str:
    """`door: 12 trials, 5 complete, 6 stopped early, 1 failed; best success_ever 0.90, trial 7`."""
    states = [trial.state.name for trial in trials.all]
    words = {"COMPLETE": "complete", "PRUNED": "stopped early", "FAIL": "failed", "RUNNING": "open"}
    counts = [f"{states.count(s)} {word}" for s, word in words.items() if s in states]
    text = f"{trials.point.name}: {len(states)} trials" + "".join(f", {c}" for c in counts)
    if (best := trials.best()) is not None:
        shown = BY_FIELD[tuning.measure].shown(best.value)
        text += f"; best {tuning.measure} {shown}, trial {best.number}"
    return text


def _records(tuning: TuningConfig, trials: Trials) -> list[dict[str, Any]]:
    return [
        {
            "point": trials.point.name,
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "value": trial.value,
            "settings": settings(tuning, trial.params),
            "evaluations": {str(step): v for step, v in trial.intermediate_values.items()},
        }
        for trial in trials.all
    ]
