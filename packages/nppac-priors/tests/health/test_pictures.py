from __future__ import annotations

import numpy as np
import pytest
from nppac_priors.health.pictures.distance import distance_panel, draw_distance
from nppac_priors.health.pictures.plane import draw_planes
from nppac_priors.health.pictures.reliability import draw_reliability
from nppac_priors.health.pictures.training import draw_training
from nppac_priors.health.pictures.trajectory import DIMENSIONS, draw_trajectory
from nppac_priors.health.plane import COLUMNS, ROWS, make_plane
from nppac_priors.health.training import TrainingTrace

pytestmark = pytest.mark.medium


@pytest.fixture
def health(shaped, examination):
    return examination.examine(shaped(lambda norm: 0.1 * (1 + norm)))


@pytest.fixture
def plane(split):
    return make_plane(split.fitted.states, split.fitted.episode_lengths)


def maps_of(figure):
    return [axes for axes in figure.axes if axes.images]


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_all_maps_are_on_one_colour_scale_with_the_demonstrations(plane, split, count):
    variances = {f"p{i}": np.full((ROWS, COLUMNS), 0.1 / (i + 1)) for i in range(count)}
    maps = maps_of(draw_planes(plane, variances))
    assert [axes.get_title(loc="left") for axes in maps] == list(variances)
    assert len({axes.images[0].get_clim() for axes in maps}) == 1
    for axes in maps:
        assert len(axes.lines) == len(split.fitted.episode_lengths)
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), plane.paths[0][:, 0])


def test_the_scale_spans_three_decades_at_most(plane):
    variances = {"a": np.full((ROWS, COLUMNS), 1e-12), "b": np.full((ROWS, COLUMNS), 0.1)}
    low, high = maps_of(draw_planes(plane, variances))[0].images[0].get_clim()
    assert (low, high) == pytest.approx((1e-4, 0.1))


def test_a_map_of_one_value_can_be_drawn(plane):
    low, high = (
        maps_of(draw_planes(plane, {"a": np.full((ROWS, COLUMNS), 0.04)}))[0].images[0].get_clim()
    )
    assert low == pytest.approx(0.04)
    assert high > low


def test_distance_curves_end_where_the_numbers_do(health):
    panel = distance_panel({"a": health.off_data, "b": health.off_data})
    curves = [curve for curve in panel.curves if curve.name]
    assert [curve.name for curve in curves] == ["a", "b"]
    np.testing.assert_allclose(curves[0].y, health.off_data.curve.mean_std[1:])
    dashed = [curve for curve in panel.curves if curve.line == "--"]
    assert [curve.y[0] for curve in dashed] == [health.off_data.on_data_median_std] * 2
    assert draw_distance({"a": health.off_data}).axes


def test_a_prior_that_collapses_leaves_the_others_their_differences(health, shaped, examination):
    collapsed = examination.examine(shaped(lambda norm: 0.1 * (-norm).exp() + 1e-9)).off_data
    floor = collapsed.on_data_median_std / 10
    assert min(collapsed.curve.mean_std) < floor
    measured = {"a": health.off_data, "b": health.off_data, "c": collapsed}
    panel = distance_panel(measured)
    assert panel.limits == (floor, max(health.off_data.curve.mean_std))
    assert "cut off below" in panel.note
    low, high = draw_distance(measured).axes[0].get_ylim()
    assert 0.5 * floor < low < floor
    assert high > panel.limits[1]
    assert distance_panel({"c": collapsed}).limits is None


def test_more_priors_than_colours_are_all_drawn(health):
    many = {f"p{index}": health for index in range(10)}
    panel = distance_panel({label: one.off_data for label, one in many.items()})
    assert [curve.name for curve in panel.curves if curve.name] == list(many)
    texts = draw_reliability({label: one.held_out for label, one in many.items()}).texts
    assert sum(text.get_text().startswith("p") for text in texts) == 10


def test_the_reliability_diagram_shows_observed_coverage(health):
    axes = draw_reliability({"a": health.held_out}).axes[0]
    curve = axes.lines[1].get_ydata()
    assert list(curve[1:-1]) == list(health.held_out.observed_coverage)
    assert (curve[0], curve[-1]) == (0, 1)


def test_the_trajectory_has_the_dimensions_that_change_most():
    steps = np.linspace(0, 6, 50)
    sizes = np.array([0.1, 0.9, 0.3, 0.5])
    actions = np.sin(steps)[:, None] * sizes
    mean, std = np.zeros_like(actions), np.full_like(actions, 0.2)
    figure = draw_trajectory(actions, {"a": (mean, std), "b": (mean, std)})
    assert len(figure.axes) == 2 * DIMENSIONS
    drawn = [axes.lines[1].get_ydata() for axes in figure.axes[:DIMENSIONS]]
    for values, dimension in zip(drawn, (1, 2, 3), strict=True):
        np.testing.assert_array_equal(values, actions[:, dimension])
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((-1.96 * 0.2, 1.96 * 0.2), rel=1e-4)


def test_training_shows_each_seed_and_their_median():
    off = ((1.0, 0.1), (2.0, 0.2), (4.0, 0.9))
    trace = TrainingTrace((1, 10), (0, 1, 2), off, ((1.0, 1.0),) * 3)
    axes = draw_training({"a": trace}).axes[0]
    drawn = [tuple(line.get_ydata()) for line in axes.lines]
    assert set(off) <= set(drawn)
    assert drawn.count((2.0, 0.2)) == 2
    dotted = [tuple(line.get_ydata()) for line in axes.lines if line.get_linestyle() == ":"]
    assert dotted == [(1.0, 1.0)]
    assert axes.get_yscale() == "log"
