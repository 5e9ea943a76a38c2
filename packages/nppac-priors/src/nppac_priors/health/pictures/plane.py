"""Maps of the predictive variance, all on one colour scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from nppac_priors.drawing.names import LINE, wrapped
from nppac_priors.drawing.style import INK, LARGE, MUTED, SMALL, new_figure, power_text
from nppac_priors.health.plane import Plane
from nppac_priors.health.verdict import percent

Array = NDArray[np.float64]

COLOURS = ListedColormap(colormaps["YlGnBu"](np.linspace(0.0, 0.78, 256)))
"""Bright where the prior is sure, darker where it is not; never so dark as the demonstrations."""
_MOST_DECADES = 3
_CROWDED = 6_000
"""Demonstrations of more steps than this are drawn thinner, so that the map shows through."""
_COLUMNS = 4
_GAP, _HEAD, _FOOT, _BAR = 0.16, 0.32, 0.42, 0.75
_WIDTH, _WIDEST = 10.2, 2.9


def draw_planes(
    plane: Plane, variances: Mapping[str, Array], shown: Sequence[str] | None = None
) -> Figure:
    """One map for each prior, with the demonstrations drawn on it.

    Args:
        plane: What `make_plane` made.
        variances: By label, as `variance_on` gave them; all of them make the scale.
        shown: Labels of those that get a map; all unless given.
    """
    norm, clipped = _norm(list(variances.values()))
    labels = list(variances) if shown is None else shown
    rows = math.ceil(len(labels) / _COLUMNS)
    columns = math.ceil(len(labels) / rows)
    cell = _cell(columns)
    head = _HEAD + LINE * max(len(wrapped(label, 0.8 * cell[0])) - 1 for label in labels)
    width = columns * (cell[0] + _GAP) + _BAR
    height = rows * (cell[1] + head) + _FOOT
    figure = new_figure(width, height)
    for index, label in enumerate(labels):
        row, column = divmod(index, columns)
        left, top = column * (cell[0] + _GAP), row * (cell[1] + head) + head
        place = (left / width, 1 - (top + cell[1]) / height)
        axes = figure.add_axes((*place, cell[0] / width, cell[1] / height))
        _draw_map(axes, plane, variances[label], norm)
        axes.set_title(
            "\n".join(wrapped(label, 0.8 * cell[0])),
            size=LARGE,
            weight="bold",
            color=INK,
            loc="left",
            pad=5,
        )
    first, second = plane.explained
    shares = f"{percent(first)} and {percent(second)}"
    note = f"first two principal components, {shares} of the states' variance"
    figure.text(0, 0.1 / height, note, size=SMALL, color=MUTED, va="center")
    _draw_bar(figure, figure.axes[columns - 1], cell[0] + _GAP, clipped=clipped)
    return figure


def _cell(columns: int) -> tuple[float, float]:
    """Width and height of a map, in inches."""
    width = min((_WIDTH - _BAR) / columns - _GAP, _WIDEST)
    return width, 0.75 * width


def _draw_map(axes: Axes, plane: Plane, variance: Array, norm: LogNorm) -> None:
    extent = (plane.x[0], plane.x[-1], plane.y[0], plane.y[-1])
    axes.imshow(
        variance,
        extent=extent,
        origin="lower",
        norm=norm,
        cmap=COLOURS,
        aspect="auto",
        interpolation="bilinear",
    )
    crowd = max(1.0, sum(len(path) for path in plane.paths) / _CROWDED)
    pen = {"color": "black", "linewidth": 0.45 / crowd, "alpha": 0.8 / crowd**3}
    for path in plane.paths:
        axes.plot(path[:, 0], path[:, 1], **pen)
    axes.set(xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_bar(figure: Figure, beside: Axes, offset: float, *, clipped: bool) -> None:
    """The colour scale, beside the last map of the first row."""
    place = beside.get_position()
    inch = 1 / figure.get_size_inches()[0]
    axes = figure.add_axes((place.x0 + offset * inch, place.y0, 0.12 * inch, place.height))
    bar = figure.colorbar(beside.images[0], cax=axes)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    ticks = _ticks(*beside.images[0].get_clim())
    bar.ax.set_yticks(ticks, [power_text(tick) for tick in ticks])
    if clipped:
        bar.ax.set_xlabel("or less", size=SMALL, color=MUTED, loc="left", labelpad=3)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.tick_params(length=0, labelsize=SMALL, labelcolor=MUTED, pad=4)
    bar.ax.set_title("variance", size=SMALL, color=MUTED, loc="left", pad=5)


def _norm(variances: list[Array]) -> tuple[LogNorm, bool]:
    """The scale of all values, and whether it ends above the smallest, some decades down."""
    low, high = min(v.min() for v in variances), max(v.max() for v in variances)
    floor = high / 10**_MOST_DECADES
    clipped = bool(low < floor)
    low = max(low, floor)
    return LogNorm(low, max(high, 1.05 * low), clip=True), clipped


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten within the limits, or powers alone where these are many."""
    factors = (1.0, 2.0, 5.0) if high < 50 * low else (1.0,)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**exponent for exponent in exponents for factor in factors]
    return [tick for tick in ticks if 0.999 * low <= tick <= 1.001 * high]
