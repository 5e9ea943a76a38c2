from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import colors, image
from matplotlib.text import Text
from nppac_priors.drawing.panels import Curve, Panel, row_figure, wide_range
from nppac_priors.drawing.rendering import figure_png, figure_svg
from nppac_priors.drawing.style import PAPER, SERIES, count_text, power_text, spread

STEPS = np.array([0.0, 5000.0, 10000.0])


def panel(*rows, **settings):
    names = ["one", "two", "three"] if len(rows) > 1 else [""]
    curves = [
        Curve(STEPS, np.array(row), colour, name)
        for row, colour, name in zip(rows, SERIES, names, strict=False)
    ]
    return Panel("key", "Title", "note", "steps", curves, **settings)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (500, "500"), (12500, "12.5k"), (2e6, "2M"), (-3e3, "-3k")]
)
def test_count_text(value, text):
    assert count_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01, "0.01"), (1000, "1000"), (1e4, "10⁴"), (2e-3, "2·10⁻³"), (-1e5, "−10⁵")],
)
def test_power_text(value, text):
    assert power_text(value) == text


@pytest.mark.parametrize("name", ["limit", "on data", "measured", "residual", "exact-gp"])
def test_names_of_curves_stay_within_the_figure(name):
    drawn = panel([1, 2, 3], [2, 3, 4])
    drawn = replace(drawn, curves=[replace(curve, name=name) for curve in drawn.curves])
    figure = row_figure([drawn])
    figure.canvas.draw()
    texts = [t for t in figure.findobj(Text) if t.get_text() == name]
    assert len(texts) == 2
    assert all(t.get_window_extent().x1 <= figure.bbox.x1 for t in texts)


@pytest.mark.parametrize(
    "row",
    [
        [3e-5, 1e-3, 1.74e-3], [-1.6e-3, -1e-3, 1e-4], [-9e-5, -2e-5, 4e-5], [4.1e-9, 4.2e-9, 7e-9],
        [-0.025, 0, 0.025], [-0.0125, -0.0124, 0], [-9500, 0, 2000], [-1.25e4, 0, 1.75e4],
    ],
)  # fmt: skip
def test_labels_of_ticks_stay_within_the_figure(row):
    figure = row_figure([panel(row)])
    figure.canvas.draw()
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    shown = [t for t in axes.get_yticklabels() if low <= t.get_position()[1] <= high]
    assert shown
    assert min(t.get_window_extent().x0 for t in shown) >= figure.bbox.x0


def test_the_last_value_has_a_minus_sign():
    (axes,) = row_figure([panel([1, -2, -3])]).axes
    assert "−3" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("value", "text"), [(1351.2, "1.35k"), (-2e6, "−2M"), (999.0, "999"), (-4.2e-5, "−4.2·10⁻⁵")]
)
def test_a_large_last_value_is_short(value, text):
    (axes,) = row_figure([panel([0, 0, value])]).axes
    assert text in [label.get_text() for label in axes.texts]


def test_spread_keeps_names_apart_and_inside():
    places = spread([0.1, 0.5, 0.52, 0.99, 1.0], 0.1)
    assert np.diff(places).min() >= 0.1 - 1e-12
    assert 0 <= min(places) <= max(places) <= 1
    assert spread([0.2, 0.7], 0.1) == [0.2, 0.7]


def test_wide_range_needs_outliers_far_above_one():
    assert not wide_range([Curve(STEPS, np.array([1.0, 30.0, np.nan]), "")])
    assert not wide_range([Curve(STEPS, np.array([1e-6, 1e-3, 1.0]), "")])
    assert wide_range([Curve(STEPS, np.array([1.0, 2.0, 1e4]), "")])


def test_names_below_stay_where_they_are_when_a_footnote_makes_the_picture_taller():
    long, short = (
        Curve(STEPS, np.full(3, y), colour, "a name that is long")
        for y, colour in zip((1.0, 2.0), SERIES, strict=False)
    )
    drawn = replace(panel([1.0]), curves=[long, short])

    def apart(footnote):
        picture = image.imread(io.BytesIO(figure_png(row_figure([drawn], footnote=footnote))))
        blue = np.abs(picture[..., :3] - colors.to_rgb(SERIES[0])).max(2) < 0.02
        return np.ptp(np.flatnonzero(blue.any(1)))

    assert apart("") > 100
    assert abs(apart("How to read it.\nIn two lines.") - apart("")) <= 2


def test_a_footnote_below_the_figure_is_in_the_picture():
    def height(footnote):
        picture = figure_png(row_figure([panel([1, 2, 3])], footnote=footnote))
        return len(image.imread(io.BytesIO(picture)))

    assert height("How to read it.\nIn two lines.") > height("") + 40


def test_names_of_several_curves_and_the_value_of_one():
    def texts(drawn):
        return {text.get_text() for text in row_figure([drawn]).axes[0].texts}

    assert {"one", "two"} <= texts(panel([1, 2, 3], [3, 2, 1]))
    assert "0.25" in texts(panel([1, 2, 0.25], form=".2f"))
    assert "no values yet" in texts(panel([np.nan] * 3))


def test_long_names_stand_below_the_axes_which_keep_their_width():
    short = panel([1, 2, 3], [3, 2, 1])
    curves = [
        replace(curve, name=f"{curve.name}, and what it is in many words") for curve in short.curves
    ]
    long = replace(short, curves=curves)
    one, other = row_figure([short]), row_figure([long])
    assert {text.get_text() for text in other.texts} >= {curve.name for curve in curves}
    assert other.axes[0].get_position().width > one.axes[0].get_position().width
    assert other.get_size_inches()[1] > one.get_size_inches()[1]


def test_curves_that_coincide_all_show():
    same = [1.0, 2.0, 3.0]
    lines = row_figure([panel(same, same, [3.0, 2.0, 1.0])]).axes[0].lines
    assert [line.get_linestyle() for line in lines[:3]] == ["-", "--", "-"]


def test_a_long_note_goes_on_in_the_next_line():
    drawn = panel([1, 2, 3])
    long = replace(drawn, note="a word " * 20)
    assert len(long.note_lines) > 1
    assert row_figure([long]).get_size_inches()[1] > row_figure([drawn]).get_size_inches()[1]


def test_constant_does_not_fill_the_axes():
    figure = row_figure([panel([0.1, 0.1, 0.1 + 1e-9])])
    low, high = figure.axes[0].get_ylim()
    assert high - low == pytest.approx(0.02)


@pytest.mark.parametrize("scale", ["linear", "log", "symlog"])
def test_gaps_are_drawn_as_gaps(scale):
    figure = row_figure([panel([1.0, np.nan, 300.0], scale=scale)])
    drawn = np.asarray(figure.axes[0].lines[0].get_ydata(), dtype=float)
    assert np.isnan(drawn).tolist() == [False, True, False]
    assert figure_png(figure).startswith(b"\x89PNG")


def test_description_tells_where_each_curve_goes():
    told = panel([0.5, np.nan, 0.75], [np.nan, 2.0, np.nan]).description
    assert "one: from 0.5 at 0 to 0.75 at 10,000 steps." in told
    assert "two: 2 at 5,000 steps." in told
    assert panel([np.nan] * 3).description == "Title: no values yet."


def test_svg_is_whole_and_takes_colours_from_the_page():
    drawn = panel([1, 2, 3], [3, 2, 1])
    markup = str(figure_svg(row_figure([drawn]), "my-key", 'said "so" <b>'))
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    root = ElementTree.fromstring(markup.replace("<svg", f"<svg {spaces}", 1))
    assert root.attrib["aria-label"] == 'said "so" <b>'
    assert "width" not in root.attrib
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Title", "one", "two"} <= set(texts)
    assert "var(--series-0)" in markup
    figure = row_figure([drawn])
    figure.axes[0].text(0, 1, "boxed", bbox={"facecolor": PAPER})
    assert "var(--paper)" in figure_svg(figure, "my-key", "")
    assert not any(colour in markup for colour in SERIES)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert ids
    assert all(name.startswith("my-key-") for name in ids)
