"""Variance off the data against training steps, over seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from nppac_priors.drawing.panels import Curve, Panel, row_figure
from nppac_priors.drawing.style import series
from nppac_priors.health.training import TrainingTrace


def draw_training(traces: Mapping[str, TrainingTrace]) -> Figure:
    """Every seed as a thin line, their median as a thick one; dotted, the median on the data."""
    curves: list[Curve] = []
    for colour, (label, trace) in zip(series(len(traces)), traces.items(), strict=True):
        steps = np.array(trace.steps, dtype=float)
        off, on = np.array(trace.off_data_variance), np.array(trace.on_data_variance)
        curves += [Curve(steps, seed, colour, weight=0.7, opacity=0.5) for seed in off]
        curves.append(Curve(steps, np.median(on, axis=0), colour, line=":", weight=1.3))
        curves.append(Curve(steps, np.median(off, axis=0), colour, label, weight=2.0))
    panel = Panel(
        "training",
        "Predictive variance off the data, while training",
        f"thin: each of {_seeds(traces)} seeds; thick: their median; dotted: the same on the data",
        "training steps",
        curves,
        scale="log",
        log_x=True,
        size=(4.2, 3.3),
    )
    return row_figure([panel])


def _seeds(traces: Mapping[str, TrainingTrace]) -> int:
    return max(len(trace.seeds) for trace in traces.values())
