"""A panel: a few curves over one x axis, as data, and how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from nppac_priors.drawing.names import LINE, Name, dash_hidden, draw_names, names_height, wrapped
from nppac_priors.drawing.style import (
    LEFT,
    MUTED,
    SMALL,
    Label,
    count_text,
    count_ticks,
    direct_labels,
    log_ticks,
    new_figure,
    power_text,
    style_axes,
    value_ticks,
)

Scale = Literal["linear", "log", "symlog"]
Array = NDArray[np.float64]
_BESIDE, _RIGHT = 7, 0.62
"""Names of so many characters stand right of the axes, in so many inches; longer ones below."""
_ABOVE, _BELOW = 0.45, 0.42


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve; NaN leaves a gap.

    Attributes:
        x: (n,).
        y: (n,).
        colour: Hexadecimal.
        name: Stands beside it; empty for none.
        low: (n,) and `high`: a band around it.
        marked: With a dot at every value.
        line: A matplotlib line style.
        weight: Of the line, in points.
        opacity: Of the line.
    """

    x: Array
    y: Array
    colour: str
    name: str = ""
    low: Array | None = None
    high: Array | None = None
    marked: bool = False
    line: Literal["-", "--", ":"] = "-"
    weight: float = 1.5
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Panel:
    """Curves with one title.

    Attributes:
        key: A short name, for files and ids.
        title: In words.
        note: Unit or definition, below the title.
        x_label: Of the x axis.
        curves: At least one value between them is finite.
        scale: Of the y axis.
        limits: Of the y axis; None to follow the data.
        log_x: Whether the x axis is logarithmic; it counts steps if not.
        x_end: Where an axis that counts steps ends at the earliest.
        form: Format specification of the last value, which stands beside a lone curve.
        names_alone: Whether a lone curve's name takes that place, where others are elsewhere.
        size: Of the panel, in inches; names below the axes and lines of the note add to its height.
        meaning: What it tells, as a sentence, for a page that shows it.
    """

    key: str
    title: str
    note: str
    x_label: str
    curves: Sequence[Curve]
    scale: Scale = "linear"
    limits: tuple[float, float] | None = None
    log_x: bool = False
    x_end: float = 1.0
    form: str = ".3g"
    names_alone: bool = False
    size: tuple[float, float] = (3.15, 2.35)
    meaning: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(np.isfinite(curve.y).any() for curve in self.curves)

    @property
    def note_lines(self) -> list[str]:
        """The note in the panel's width."""
        return wrapped(self.note, self.size[0])

    @property
    def named(self) -> list[Curve]:
        """The curves whose names are shown."""
        if len(self.curves) < 2 and not self.names_alone:
            return []
        return [curve for curve in self.curves if curve.name and np.isfinite(curve.y).any()]

    @property
    def names_below(self) -> bool:
        """Whether names are too long to stand beside their curves."""
        return any(len(curve.name) > _BESIDE for curve in self.named)

    @property
    def description(self) -> str:
        """The panel in words: where each curve starts and ends."""
        if self.is_empty:
            return f"{self.title}: no values yet."
        parts = [_described(curve, self.x_label) for curve in self.curves]
        return f"{self.title}, {self.note}. " + " ".join(part for part in parts if part)


def single_figure(panel: Panel) -> Figure:
    """A figure of one panel."""
    return row_figure([panel])


def row_figure(panels: Sequence[Panel], *, footnote: str = "") -> Figure:
    """A figure with panels side by side.

    Args:
        panels: At least one.
        footnote: How to read it; stands below.
    """
    names = [_names(panel) if panel.names_below else [] for panel in panels]
    room = max(names_height(n, p.size[0]) for n, p in zip(names, panels, strict=True))
    below = _BELOW + (room + 0.06 if room else 0.0)
    above = _ABOVE + LINE * (max(len(panel.note_lines) for panel in panels) - 1)
    inner = max(panel.size[1] for panel in panels) - _ABOVE - _BELOW
    width, height = sum(panel.size[0] for panel in panels), below + inner + above
    figure = new_figure(width, height)
    left, start = LEFT / 72 + 0.02, 0.0
    for panel, below_it in zip(panels, names, strict=True):
        across = panel.size[0] - left - (0.12 if below_it else _RIGHT)
        place = ((start + left) / width, below / height, across / width, inner / height)
        styles = _draw_panel(figure.add_axes(place), panel)
        shown = [name._replace(line=styles[name.text]) for name in below_it]
        draw_names(figure, shown, start + 0.02, room + 0.02, panel.size[0])
        start += panel.size[0]
    lines = [line for text in footnote.splitlines() for line in wrapped(text, width)]
    figure.text(0.02 / width, -0.02, "\n".join(lines), size=SMALL, color=MUTED, va="top")
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> dict[str, Any]:
    """Draw a panel; returns the styles of the lines of its curves, by name."""
    note = "\n".join(panel.note_lines)
    style_axes(axes, title=panel.title, note=note, x_label=panel.x_label)
    if panel.is_empty:
        axes.set(xticks=[], yticks=[])
        axes.text(0, 0.5, "no values yet", transform=axes.transAxes, size=SMALL, color=MUTED)
        return {}
    lines = [_draw_curve(axes, curve) for curve in panel.curves]
    _set_scales(axes, panel)
    styles = [line.get_linestyle() for line in lines]
    hidden = dash_hidden(axes, lines)
    if not panel.names_below:
        direct_labels(axes, _labels(panel))
    return {
        curve.name: hidden.get(index, style)
        for index, (curve, style) in enumerate(zip(panel.curves, styles, strict=True))
    }


def wide_range(curves: Sequence[Curve]) -> bool:
    """Whether a linear axis would hide most values below the largest few."""
    sizes = np.abs(np.concatenate([curve.y for curve in curves]))
    sizes = sizes[np.isfinite(sizes)]
    return bool(sizes.size) and sizes.max() > 50 * max(float(np.median(sizes)), 1.0)


def _draw_curve(axes: Axes, curve: Curve) -> Line2D:
    alone = np.isfinite(curve.y).sum() == 1
    (line,) = axes.plot(
        curve.x,
        curve.y,
        curve.line,
        color=curve.colour,
        linewidth=curve.weight,
        alpha=curve.opacity,
        marker="o" if curve.marked or alone else None,
        markersize=3.2,
        solid_capstyle="round",
        solid_joinstyle="round",
    )
    if curve.low is not None and curve.high is not None:
        axes.fill_between(curve.x, curve.low, curve.high, color=curve.colour, alpha=0.18, lw=0)
    return line


def _set_scales(axes: Axes, panel: Panel) -> None:
    if panel.log_x:
        axes.set_xscale("log")
        log_ticks(axes, "x")
    else:
        count_ticks(axes)
        end = max([panel.x_end, *(float(curve.x.max()) for curve in panel.curves if curve.x.size)])
        axes.set_xlim(-0.03 * end, 1.03 * end)
    if panel.scale == "linear":
        value_ticks(axes)
    elif panel.scale == "log":
        axes.set_yscale("log")
        log_ticks(axes, "y")
    else:
        axes.set_yscale("symlog", linthresh=1.0)
        log_ticks(axes, "y")
    if panel.limits is not None:
        low, high = panel.limits
        if panel.scale == "log":
            factor = (high / low) ** 0.04
            axes.set_ylim(low / factor, high * factor)
        else:
            margin = 0.04 * (high - low)
            axes.set_ylim(low - margin, high + margin)


def _labels(panel: Panel) -> list[Label]:
    if len(panel.curves) == 1 and not panel.named:
        ends = [(_last(curve), curve.colour) for curve in panel.curves]
        return [Label(y, _value_text(y, panel.form), colour) for y, colour in ends]
    return [Label(_last(curve), curve.name, curve.colour) for curve in panel.named]


def _value_text(value: float, form: str) -> str:
    """A value in its form, or as `1.35k` and `4·10⁻⁵` for `1.35e+03` and `4e-05`."""
    text = format(value, form)
    if "e+" in text and abs(value) < 1e12:
        text = count_text(float(text))
    elif "e-" in text:
        text = power_text(float(text))
    return text.replace("-", "−")


def _names(panel: Panel) -> list[Name]:
    return [Name(curve.name, curve.colour) for curve in panel.named]


def _last(curve: Curve) -> float:
    return float(curve.y[np.isfinite(curve.y)][-1])


def _described(curve: Curve, x_label: str) -> str:
    known = np.isfinite(curve.y)
    if not known.any() or (not curve.name and curve.opacity < 1):
        return ""
    x, y = curve.x[known], curve.y[known]
    name = f"{curve.name}: " if curve.name else ""
    if len(x) == 1:
        return f"{name}{y[0]:.3g} at {x[0]:,.4g} {x_label}."
    return f"{name}from {y[0]:.3g} at {x[0]:,.6g} to {y[-1]:.3g} at {x[-1]:,.6g} {x_label}."
