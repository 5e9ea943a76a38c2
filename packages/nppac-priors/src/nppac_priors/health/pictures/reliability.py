"""Reliability diagram: how often an interval of a stated coverage covers."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nppac_priors.drawing.names import Name, dash_hidden, draw_names, names_height
from nppac_priors.drawing.style import LEFT, MUTED, SMALL, new_figure, series, style_axes
from nppac_priors.health.calibration import COVERAGE_LEVELS, LEVELS, Calibration

_SIDE, _BELOW, _ABOVE = 2.45, 0.45, 0.47
_TICKS = (0, 0.25, 0.5, 0.75, 1)


def draw_reliability(measured: Mapping[str, Calibration]) -> Figure:
    """Observed against stated coverage; below the diagonal a prior is overconfident."""
    left = LEFT / 72 + 0.12
    width = left + _SIDE + 0.2
    pairs = zip(measured.items(), series(len(measured)), strict=True)
    names = [Name(f"{label}: {one.calibration_error:.3f}", c) for (label, one), c in pairs]
    names.insert(0, Name("calibration error, of the diagonal 0", MUTED, "--"))
    room = names_height(names, width)
    below = _BELOW + room + 0.06
    height = below + _SIDE + _ABOVE
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, below / height, _SIDE / width, _SIDE / height))
    style_axes(
        axes,
        title="Reliability on held-out episodes",
        note="share of actions within the central interval",
        x_label="stated coverage of the interval",
    )
    axes.plot([0, 1], [0, 1], "--", color=MUTED, linewidth=0.9)
    lines = []
    for colour, calibration in zip(series(len(measured)), measured.values(), strict=True):
        observed = [0, *calibration.observed_coverage, 1]
        lines += axes.plot([0, *LEVELS, 1], observed, color=colour, lw=1.5)
        marks = [calibration.coverage[level] for level in COVERAGE_LEVELS]
        axes.plot(COVERAGE_LEVELS, marks, "o", color=colour, markersize=3.2)
    axes.text(0.03, 0.97, "underconfident", size=SMALL, color=MUTED, va="top", style="italic")
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=_TICKS, yticks=_TICKS)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    for index, dashes in dash_hidden(axes, lines).items():
        names[index + 1] = names[index + 1]._replace(line=dashes)
    draw_names(figure, names, 0.02, room + 0.02, width)
    return figure
