"""Which panels a run's report shows, built from its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from nppac_priors.drawing.panels import Curve, Panel, wide_range
from nppac_priors.drawing.style import INK, SERIES
from numpy.typing import NDArray

from nppac_agents.metric_names import METRICS
from nppac_agents.reporting.drawn import Drawn, is_constant
from nppac_agents.reporting.gauges import GAUGES
from nppac_agents.reporting.intervals import event_interval
from nppac_agents.reporting.measures import Measure, told
from nppac_agents.reporting.quantities import TRAINING, Quantities, of
from nppac_agents.reporting.run_files import RunFiles

Array = NDArray[np.float64]


_PROGRESS = {
    "event",
    "phase",
    "env_steps",
    "updates",
    "wall_seconds",
    "updates_per_second",
    "env_steps_per_second",
}
"""Fields of a training event that say how far it is, not what is learned."""


def evaluation_panels(run: RunFiles) -> Drawn:
    """The measures over the environment steps; over updates where a run takes no steps.

    Those of success only where the environment tells it; the normalised return, whose curve is that
    of the return, stands in the tables.
    """
    events = [logged.event for logged in run.evaluations]
    panels, constants = [], {}
    for measure in told(events):
        if measure.field == "normalised_return":
            continue
        y = values(events, measure.field)
        if is_constant(y):
            constants[measure.title] = measure.shown(float(y[0]))
        elif np.isfinite(y).any():
            panels.append(_measure_panel(run, events, measure))
    return Drawn(panels, constants)


def _measure_panel(run: RunFiles, events: Sequence[dict[str, Any]], measure: Measure) -> Panel:
    field, x_label = _progress(events)
    horizon = run.setting("env", "horizon")
    limits = (0.0, 1.0) if measure.is_rate else None
    if measure.field == "time_to_success" and isinstance(horizon, int):
        limits = (0.0, float(horizon))
    ends = [event_interval(event, measure.field) for event in events]
    low, high = (
        np.array([np.nan if end is None else end[side] for end in ends]) for side in (0, 1)
    )
    band = np.isfinite(low).any()
    curve = Curve(
        values(events, field), values(events, measure.field), SERIES[0], "",
        low if band else None, high if band else None, marked=True,
    )  # fmt: skip
    return Panel(
        measure.field,
        measure.title,
        measure.note + ("; band: 95 % interval" if band else ""),
        x_label,
        [curve],
        limits=limits,
        x_end=_planned(run, field),
        form=measure.form,
        meaning=METRICS[measure.field].sentence,
    )


def guard_panels(run: RunFiles) -> Drawn:
    """What the pathology guard measured, each with the end of its range."""
    events = [logged.event for logged in run.evaluations]
    field, x_label = _progress(events)
    x, x_end = values(events, field), _planned(run, field)
    panels, constants = [], {}
    for gauge in GAUGES:
        metric, y = METRICS[gauge.field], values(events, gauge.field)
        if is_constant(y):
            constants[gauge.title] = f"{y[0]:.3g} ({metric.unit})"
        if is_constant(y) or np.isnan(y).all():
            continue
        measured = Curve(x, y, SERIES[0], "measured", marked=True)
        ends = np.array([0.0, x_end])
        limit = Curve(ends, np.full(2, gauge.highest), INK, "limit", line="--", weight=1.0)
        panels.append(
            Panel(
                gauge.field,
                gauge.title,
                metric.unit,
                x_label,
                [measured, limit],
                scale="symlog" if wide_range([measured]) else "linear",
                x_end=x_end,
                meaning=metric.sentence,
            )
        )
    return Drawn(panels, constants)


def training_panels(run: RunFiles, phase: str) -> Drawn:
    """What the updates of one phase report; one that is not known here gets its own panel."""
    events = run.training(phase)
    field, x_label = _progress(events)
    x = values(events, field)
    panels, constants = [], {}
    for quantities in (*TRAINING, *_others(events)):
        drawn = {}
        for metric, colour in zip(quantities.metrics, SERIES, strict=False):
            measured = values(events, metric.name)
            if is_constant(measured):
                constants[metric.words] = f"{measured[0]:.4g}"
            elif np.isfinite(measured).any():
                drawn[metric] = Curve(x, measured, colour, metric.words)
        if drawn:
            shown = quantities._replace(metrics=tuple(drawn))
            panels.append(_training_panel(shown, list(drawn.values()), x_label))
    return Drawn([panel for panel in panels if not panel.is_empty], constants)


def _training_panel(shown: Quantities, curves: list[Curve], x_label: str) -> Panel:
    scale = shown.scale or ("symlog" if wide_range(curves) else "linear")
    if scale == "log":
        curves = [_positive(curve) for curve in curves]
    return Panel(
        shown.key,
        shown.heading,
        shown.unit,
        x_label,
        curves,
        scale=scale,
        meaning=shown.meaning,
    )


def prior_panel(curve: dict[str, Any]) -> Panel:
    """What `prior_std_curve` returned: mean and 10 to 90 % band, and the value on the data."""
    columns = {
        name: np.array(curve[name], float) for name in ("distance", "mean_std", "p10", "p90")
    }
    away = columns["distance"] > 0
    x, mean, low, high = (column[away] for column in columns.values())
    decades = bool(low.size) and low.min() > 0 and high.max() > 10 * low.min()
    ends = x[[0, -1]] if x.size else np.array([1e-2, 1e2])
    on_data = Curve(
        ends, np.full(2, curve["on_data_median"]), INK, "on data", line="--", weight=1.0
    )
    moved = Curve(x, mean, SERIES[0], "mean", low, high, marked=True)
    return Panel(
        "prior_std",
        "Prior's standard deviation",
        "mean over action dimensions; band: 10 to 90 % of states",
        "standardised distance to the nearest demonstration state",
        [moved, on_data],
        scale="log" if decades else "linear",
        limits=None if decades else (0.0, 1.05 * float(columns["p90"].max())),
        log_x=True,
        size=(3.6, 2.6),
    )


def values(events: Sequence[dict[str, Any]], field: str) -> Array:
    """(n,) of one field; NaN where it is missing or null."""
    found = [event.get(field) for event in events]
    return np.array([np.nan if value is None else value for value in found], dtype=np.float64)


def _progress(events: Sequence[dict[str, Any]]) -> tuple[str, str]:
    steps = [event["env_steps"] for event in events]
    interacts = any(steps) and (len(steps) == 1 or len(set(steps)) > 1)
    no_updates = not any(event["updates"] for event in events)
    if interacts or no_updates:
        return "env_steps", "environment steps"
    return "updates", "updates"


def _others(events: Sequence[dict[str, Any]]) -> list[Quantities]:
    """What a method reports beyond `TRAINING`, in its order."""
    known = _PROGRESS.union(m.name for quantities in TRAINING for m in quantities.metrics)
    return [
        of(name)
        for name in dict.fromkeys(n for event in events for n in event)
        if name not in known
    ]


def _planned(run: RunFiles, field: str) -> float:
    """The run's length in environment steps, so that an unfinished run shows how far it is."""
    planned = run.setting("training", "env_steps")
    return float(planned) if field == "env_steps" and isinstance(planned, int) and planned else 1.0


def _positive(curve: Curve) -> Curve:
    return Curve(curve.x, np.where(curve.y > 0, curve.y, np.nan), curve.colour, curve.name)
