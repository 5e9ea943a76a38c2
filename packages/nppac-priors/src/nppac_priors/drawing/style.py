"""How every figure looks: one palette, light axes, plain tick labels, names beside their curves.

Figures are matplotlib objects on an Agg canvas, without pyplot and its global state. Colours are
Okabe and Ito's, which colour-blind readers can tell apart.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullLocator,
    ScalarFormatter,
    SymmetricalLogLocator,
)

PAPER, INK, MUTED, GRID = "#ffffff", "#1f2328", "#656d76", "#d8dee4"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d46", "#5e4fa2")
LARGE, SMALL = 9.0, 7.5
LEFT = 34.0
"""Room left of the axes for their tick labels, in points; titles start there."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


class Label(NamedTuple):
    """A curve's name, to stand beside its last value."""

    y: float
    text: str
    colour: str


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Axes, *, title: str, note: str, x_label: str) -> None:
    """Left-aligned title with a note of a few lines below it, a light grid, no frame."""
    head: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    above = 15 + 11 * note.count("\n")
    axes.annotate(title, (0, 1), (-LEFT, above), **head, size=LARGE, weight="bold", color=INK)
    axes.annotate(note, (0, 1), (-LEFT, 4), **head, size=SMALL, color=MUTED)
    axes.set_xlabel(x_label, size=SMALL, color=MUTED, labelpad=3)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=MUTED, pad=4)


def series(count: int) -> list[str]:
    """The colours of so many curves, those of `SERIES` from the first again where it is short."""
    return list(itertools.islice(itertools.cycle(SERIES), count))


def count_ticks(axes: Axes) -> None:
    """Ticks of an x axis that counts steps: 0, 5k, 10k."""
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10], integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count_text(value)))


def value_ticks(axes: Axes) -> None:
    """A few ticks of a linear y axis, at least a tenth of its values wide, with short labels."""
    low, high = axes.get_ylim()
    middle = (low + high) / 2
    if high - low < 0.1 * abs(middle):
        low, high = middle - 0.1 * abs(middle), middle + 0.1 * abs(middle)
        axes.set_ylim(low, high)
    largest = max(abs(low), abs(high))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    if largest >= 1e4:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count_text(value)))
    elif largest < 1e-2:
        axes.yaxis.set_major_locator(_short(low, high))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_text(value)))
    else:
        axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))


def _short(low: float, high: float) -> MaxNLocator:
    """Places of ticks from `low` to `high`, so few that their labels fit left of the axes."""
    locators = [MaxNLocator(count, steps=[1, 2, 5, 10]) for count in (4, 3, 2, 1)]
    return next(
        (one for one in locators if max(_length(tick) for tick in one.tick_values(low, high)) < 7),
        locators[-1],
    )


def _length(value: float) -> int:
    """The characters of a label that take room."""
    return len(power_text(value).replace(".", "").replace("·", ""))


def log_ticks(axes: Axes, which: str) -> None:
    """Plain labels on a logarithmic or symmetric logarithmic axis, "x" or "y"; no minor ticks."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    if axis.get_scale() == "log":
        subs = (1.0, 2.0, 5.0) if high < 30 * low else (1.0,)
        axis.set_major_locator(LogLocator(subs=subs, numticks=6))
    else:
        locator = SymmetricalLogLocator(base=10, linthresh=1.0)
        locator.set_params(numticks=6)
        axis.set_major_locator(locator)
    axis.set_major_formatter(FuncFormatter(lambda value, _: power_text(value)))
    axis.set_minor_locator(NullLocator())


def count_text(value: float) -> str:
    """`0`, `500`, `5k`, `12.5k`, `2M`."""
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def power_text(value: float) -> str:
    """`0.01`, `1`, `100`, and from there on `10⁴`, `10⁻³`."""
    if value == 0 or 1e-2 <= abs(value) < 1e4:
        return f"{value:g}".replace("-", "−")
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    mantissa = value / 10**exponent
    sign = "−" if mantissa < 0 else ""
    factor = "" if math.isclose(abs(mantissa), 1) else f"{abs(mantissa):g}·"
    return f"{sign}{factor}10{str(exponent).translate(_SUPERSCRIPTS)}"


def direct_labels(axes: Axes, labels: Sequence[Label], *, gap: float = 0.1) -> None:
    """Names right of the axes at the curves' ends, moved apart where they would touch.

    Args:
        axes: With its final limits.
        labels: Of the curves.
        gap: Smallest distance between two names, as a share of the axes' height.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    ordered = sorted(labels, key=lambda label: label.y)
    shares = [to_axes.transform((axes.get_xlim()[1], label.y))[1] for label in ordered]
    places = spread(np.clip(shares, 0.0, 1.0).tolist(), gap)
    for place, label in zip(places, ordered, strict=True):
        _draw_label(axes, place, label, stub=len(ordered) > 1)


def _draw_label(axes: Axes, place: float, label: Label, *, stub: bool) -> None:
    """A name at a height in [0, 1], behind a piece of its curve where there are several."""
    point = axes.transAxes.inverted().get_matrix()[0, 0] * axes.figure.dpi / 72
    where = axes.transAxes
    if stub:
        ends = [1 + 3 * point, 1 + 10 * point]
        line = axes.plot(ends, [place, place], transform=where, color=label.colour, linewidth=2.2)
        line[0].set(clip_on=False, solid_capstyle="butt")
    start = 1 + (13 if stub else 4) * point
    axes.text(start, place, label.text, transform=where, size=SMALL, color=INK, va="center")


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Ascending places in [0, 1], moved so that neighbours are at least `gap` apart."""
    moved = list(places)
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + gap)
    if moved and moved[-1] > 1.0:
        moved[-1] = 1.0
        for index in range(len(moved) - 2, -1, -1):
            moved[index] = min(moved[index], moved[index + 1] - gap)
    return moved
