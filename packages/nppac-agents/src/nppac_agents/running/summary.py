"""What a run comes to: the contents of `summary.json`, and its last lines on the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.reporting.measures import MEASURES, headline
from nppac_agents.running.run_directory import config_hash

if TYPE_CHECKING:
    from nppac_agents.running.training import Training

Event = dict[str, Any]


def summary_of(
    config: ExperimentConfig,
    training: Training,
    evaluations: Sequence[Event],
    reporting: Sequence[Event],
) -> dict[str, Any]:
    """What `summary.json` holds.

    Args:
        config: of the run.
        training: at its end.
        evaluations: events of that kind, from the metrics.
        reporting: likewise.
    """
    recorder, protocol = training.recorder, config.evaluation
    reported = {event["policy"]: event for event in reporting}
    best = evaluations[training.selection.best] if evaluations else None
    return {
        "kind": config.agent.kind,
        "seed": config.seed,
        "env_steps": recorder.env_steps,
        "updates": recorder.updates,
        "wall_seconds": round(recorder.wall_seconds, 1),
        "time_spent": {name: round(spent, 1) for name, spent in recorder.time_spent().items()},
        "before": _measured(evaluations[0]) if evaluations else None,
        "after": _measured(evaluations[-1]) if evaluations else None,
        **_reported(reported.get("last")),
        "best": None if best is None else _best(config, best, reported),
        "protocol": {
            "selection": _starts(protocol.selection_seeds) if evaluations else None,
            "reporting": _starts(protocol.reporting_seeds) if reported else None,
        },
        "config_hash": config_hash(config),
        "status": "done",
    }


def _best(config: ExperimentConfig, best: Event, reported: dict[str, Event]) -> dict[str, Any]:
    """The policy that the run keeps: when it was, and what it showed."""
    return {
        "env_steps": best["env_steps"],
        "updates": best["updates"],
        "selected_by": config.evaluation.select_by,
        "selection": _measured(best),
        **_reported(reported.get("best", reported.get("last"))),
    }


def _reported(event: Event | None) -> dict[str, Any]:
    """What one policy showed on the reporting starts; nothing where none were played."""
    return {
        "reported": None if event is None else _measured(event),
        "reported_intervals": None if event is None else event["intervals"],
    }


def _measured(event: Event) -> dict[str, Any]:
    return {measure.field: event.get(measure.field) for measure in MEASURES}


def _starts(seeds: range) -> dict[str, int]:
    return {"first_seed": seeds[0], "episodes": len(seeds)}


def outcome(summary: dict[str, Any]) -> list[str]:
    """What learning did to success, or else to the return, and which policy is kept.

    A loss is told as plainly as a gain.
    """
    lines, best = [], summary["best"]
    if best is None:
        return lines
    for measure in headline(summary["before"], summary["after"]):
        before, after = (summary[when][measure.field] for when in ("before", "after"))
        lost = f"; learning LOWERED it by {measure.shown(before - after)}" if after < before else ""
        shown = f"{measure.shown(before)} before learning, {measure.shown(after)} after"
        lines.append(f"{measure.field}: {shown}{lost}")
    which = "the last one" if best["updates"] == summary["updates"] else "not the last one"
    which = "the untrained one" if best["updates"] == 0 else which
    lines.append(
        f"best policy: at {best['env_steps']:,} steps ({which}), chosen by {best['selected_by']}; "
        "it is in checkpoints/best"
    )
    return lines
