"""Reliability diagram: how often an interval of a stated coverage covers."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nppac_priors.drawing.style import INK, LEFT, MUTED, SMALL, new_figure, series, style_axes
from nppac_priors.health.calibration import COVERAGE_LEVELS, LEVELS, Calibration

_SIDE, _BELOW, _ABOVE = 2.45, 0.45, 0.47
_TICKS = (0, 0.25, 0.5, 0.75, 1)
_LINE = 11.0
"""Height of a line of text, in points."""


def draw_reliability(measured: Mapping[str, Calibration]) -> Figure:
    """Observed against stated coverage; below the diagonal a prior is overconfident."""
    left = LEFT / 72 + 0.12
    width, height = left + _SIDE + 0.2, _BELOW + _SIDE + _ABOVE
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, _BELOW / height, _SIDE / width, _SIDE / height))
    style_axes(
        axes,
        title="Reliability on held-out episodes",
        note="share of actions within the central interval",
        x_label="stated coverage of the interval",
    )
    axes.plot([0, 1], [0, 1], "--", color=MUTED, linewidth=0.9)
    for colour, calibration in zip(series(len(measured)), measured.values(), strict=True):
        axes.plot([0, *LEVELS, 1], [0, *calibration.observed_coverage, 1], color=colour, lw=1.5)
        marks = [calibration.coverage[level] for level in COVERAGE_LEVELS]
        axes.plot(COVERAGE_LEVELS, marks, "o", color=colour, markersize=3.2)
    axes.text(0.03, 0.97, "underconfident", size=SMALL, color=MUTED, va="top", style="italic")
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=_TICKS, yticks=_TICKS)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    _draw_legend(axes, measured)
    return figure


def _draw_legend(axes: Axes, measured: Mapping[str, Calibration]) -> None:
    """Labels and calibration errors, in the lower right corner, which only collapse reaches."""
    lines = list(zip(measured, series(len(measured)), strict=True))
    for place, (label, colour) in enumerate(reversed(lines)):
        error = measured[label].calibration_error
        _corner_text(axes, -13, place, f"{label}: {error:.3f}", INK)
        _corner_text(axes, -3, place, "■", colour)
    _corner_text(axes, -3, len(lines), "calibration error", MUTED)


def _corner_text(axes: Axes, x: float, line: int, text: str, colour: str) -> None:
    axes.annotate(
        text,
        (1, 0),
        (x, 5 + _LINE * line),
        xycoords="axes fraction",
        textcoords="offset points",
        size=SMALL,
        color=colour,
        ha="right",
    )
