"""Standard deviation against distance from the demonstrations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from nppac_priors.drawing.panels import Curve, Panel, row_figure
from nppac_priors.drawing.style import INK, MUTED, PAPER, SMALL, series
from nppac_priors.health.off_data import OffData


def distance_panel(measured: Mapping[str, OffData]) -> Panel:
    """One curve and its band for each prior; dashed, its median on the data.

    Where several priors are compared, the axis ends a decade below what they claim on the data, so
    that one that collapses leaves the others their differences.
    """
    several = len(measured) > 2
    curves: list[Curve] = []
    for colour, (label, off_data) in zip(series(len(measured)), measured.items(), strict=True):
        curves.append(_curve(label, off_data, colour, band=not several))
        ends = curves[-1].x[[0, -1]]
        on_data = np.full(2, off_data.on_data_median_std)
        curves.append(Curve(ends, on_data, colour, line="--", weight=0.9, opacity=0.75))
    values = np.concatenate([curve.y for curve in curves])
    wide = values.min() > 0 and values.max() > 8 * values.min()
    highest = float(values.max())
    floor = min(off_data.on_data_median_std for off_data in measured.values()) / 10
    cut = several and wide and values.min() < floor
    limits = None if wide else (0.0, highest)
    return Panel(
        "std_by_distance",
        "Standard deviation against distance",
        "mean over action dimensions; dashed: median on the data"
        + ("" if several else "; band: 10 to 90 % of states")
        + (f"; cut off below {floor:.2g}" if cut else ""),
        "standardised distance to the nearest demonstration state",
        curves,
        scale="log" if wide else "linear",
        limits=(floor, highest) if cut else limits,
        log_x=True,
        size=(3.9, 3.0),
    )


def draw_distance(measured: Mapping[str, OffData]) -> Figure:
    """The panel as a figure, with a mark where the states off the data begin."""
    figure = row_figure([distance_panel(measured)])
    axes = figure.axes[0]
    start = next(iter(measured.values())).off_data_from
    axes.axvline(start, color=MUTED, linewidth=0.8, linestyle=":", zorder=0.5)
    axes.annotate(
        "off the data →",
        (start, 0),
        (4, 4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        size=SMALL,
        color=INK,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
    )
    return figure


def _curve(label: str, off_data: OffData, colour: str, *, band: bool) -> Curve:
    curve = off_data.curve
    away = np.array(curve.distance) > 0
    x, mean, low, high = (
        np.array(column)[away] for column in (curve.distance, curve.mean_std, curve.p10, curve.p90)
    )
    return Curve(x, mean, colour, label, low if band else None, high if band else None, marked=True)
