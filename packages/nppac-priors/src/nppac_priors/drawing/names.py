"""The names of curves: in lines below a figure, and what tells curves apart that coincide."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nppac_priors.drawing.style import INK, SMALL

LINE = 0.155
"""Height of a line of small text, in inches."""
_STUB, _CHARACTER = 0.28, 0.058
_DASHES: Any = ((0, (4, 4)), (-1.25, (1.5, 6.5)))
_NEAR, _SHARE = 0.012, 0.3


class Name(NamedTuple):
    """A curve's name and how it is drawn."""

    text: str
    colour: str
    line: Any = "-"


def wrapped(text: str, width: float) -> list[str]:
    """The lines of a small text in so many inches."""
    return textwrap.wrap(text, max(int(width / _CHARACTER), 8))


def names_height(names: Sequence[Name], width: float) -> float:
    """Inches that `draw_names` needs."""
    return LINE * sum(len(wrapped(name.text, width - _STUB)) for name in names)


def draw_names(
    figure: Figure, names: Sequence[Name], left: float, top: float, width: float
) -> None:
    """Names below each other, a piece of its curve before each; places are in inches."""
    across, above = figure.get_size_inches()  # shares of these move with what a file cuts off
    for name in names:
        ends = [left / across, (left + _STUB - 0.07) / across]
        middle = (top - LINE / 2) / above
        stub = Line2D(ends, [middle] * 2, transform=figure.transFigure, color=name.colour,
                      linewidth=2.2, linestyle=name.line)  # fmt: skip
        figure.add_artist(stub)
        for line in wrapped(name.text, width - _STUB):
            middle = (top - LINE / 2) / above
            figure.text((left + _STUB) / across, middle, line, size=SMALL, color=INK, va="center")
            top -= LINE


def dash_hidden(axes: Axes, lines: Sequence[Line2D]) -> dict[int, Any]:
    """Dash each solid curve that would hide an earlier one, so that both show.

    Curves of one colour belong together and are left as they are.

    Args:
        axes: With its final limits.
        lines: The curves, in the order in which they were drawn.

    Returns:
        The new styles by index of the curve.
    """
    solid = {i: _on_axes(axes, line) for i, line in enumerate(lines) if line.get_linestyle() == "-"}
    found: dict[int, Any] = {}
    for index, points in solid.items():
        colour = lines[index].get_color()
        earlier = [i for i in solid if i < index and _coincide(solid[i], points)]
        hidden = {lines[i].get_color() for i in earlier} - {colour}
        if hidden:
            found[index] = _DASHES[min(len(hidden), len(_DASHES)) - 1]
            lines[index].set_linestyle(found[index])
            lines[index].set_dash_capstyle("butt")
    return found


def _on_axes(axes: Axes, line: Line2D) -> np.ndarray:
    """Points (n, 2) of a curve as shares of the axes, without its gaps."""
    points = np.asarray(line.get_xydata(), dtype=float)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return points
    return (axes.transData + axes.transAxes.inverted()).transform(points)


def _coincide(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two curves are one to the eye along a good part of the axes' width."""
    if not len(one) or not len(other):
        return False
    low, high = max(one[0, 0], other[0, 0]), min(one[-1, 0], other[-1, 0])
    if high < low:
        return False
    x = np.linspace(low, high, 200)
    apart = np.abs(np.interp(x, *one.T) - np.interp(x, *other.T))
    return bool((apart < _NEAR).mean() > _SHARE)
