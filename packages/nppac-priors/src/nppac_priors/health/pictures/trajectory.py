"""Predictions along one held-out episode, with bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nppac_priors.drawing.style import (
    INK,
    LARGE,
    MUTED,
    SMALL,
    count_ticks,
    new_figure,
    series,
    style_axes,
)

Array = NDArray[np.float64]

DIMENSIONS = 3
"""Rows: the action dimensions that change most along the episode."""
_Z95 = 1.959964
_WIDTH, _WIDEST, _CELL_HEIGHT, _LEFT, _GAP = 10.2, 3.1, 1.1, 0.42, (0.25, 0.2)
_HEAD, _FOOT, _MOST_COLUMNS = 0.5, 0.4, 4


def draw_trajectory(
    actions: Array,
    predictions: Mapping[str, tuple[Array, Array]],
    shown: Sequence[str] | None = None,
) -> Figure:
    """Rows of action dimensions, a column for each prior.

    Args:
        actions: (T, A), what the demonstrator did.
        predictions: By label, mean and standard deviation, each (T, A).
        shown: Labels of those that get a column; the first four unless given.
    """
    dimensions = np.sort(np.argsort(-actions.var(axis=0))[:DIMENSIONS])
    colours = dict(zip(predictions, series(len(predictions)), strict=True))
    labels = list(predictions)[:_MOST_COLUMNS] if shown is None else shown
    cell = (min((_WIDTH - _LEFT) / len(labels) - _GAP[0], _WIDEST), _CELL_HEIGHT)
    step = (cell[0] + _GAP[0], cell[1] + _GAP[1])
    width = _LEFT + len(labels) * step[0]
    height = _HEAD + len(dimensions) * step[1] + _FOOT
    figure = new_figure(width, height)
    for column, label in enumerate(labels):
        mean, std = predictions[label]
        for row, dimension in enumerate(dimensions.tolist()):
            left = _LEFT + column * step[0]
            bottom = height - _HEAD - (row + 1) * step[1] + _GAP[1]
            place = (left / width, bottom / height, cell[0] / width, cell[1] / height)
            axes = figure.add_axes(place)
            values = actions[:, dimension], mean[:, dimension], std[:, dimension]
            _draw_dimension(axes, *values, colours[label])
            _label(axes, dimension, label, first=column == 0, top=row == 0)
            if row < len(dimensions) - 1:
                axes.set_xlabel("")
                axes.set_xticklabels([])
    return figure


def _draw_dimension(axes: Axes, actions: Array, mean: Array, std: Array, colour: str) -> None:
    steps = np.arange(len(actions))
    style_axes(axes, title="", note="", x_label="step of the episode")
    width = _Z95 * std
    axes.fill_between(steps, mean - width, mean + width, color=colour, alpha=0.22, lw=0)
    axes.plot(steps, mean, color=colour, linewidth=1.2)
    axes.plot(steps, actions, color=INK, linewidth=0.9)
    axes.set(xlim=(0, max(len(actions) - 1, 1)), ylim=(-1.35, 1.35), yticks=(-1, 0, 1))
    count_ticks(axes)


def _label(axes: Axes, dimension: int, label: str, *, first: bool, top: bool) -> None:
    if first:
        axes.set_ylabel(f"action {dimension}", size=SMALL, color=MUTED, labelpad=2)
    else:
        axes.set_yticklabels([])
    if not top:
        return
    offset: Any = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(label, (0, 1), (0, 17), **offset, size=LARGE, weight="bold", color=INK)
    if first:
        note = "colour: mean and 95 % interval; thin: demonstrator"
        axes.annotate(note, (0, 1), (0, 6), **offset, size=SMALL, color=MUTED)
