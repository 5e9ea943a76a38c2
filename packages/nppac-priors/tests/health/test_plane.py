from __future__ import annotations

import numpy as np
import pytest
from nppac_priors.health.plane import COLUMNS, ROWS, make_plane, variance_on


@pytest.fixture
def states():
    """Dimensions 0 and 2 move together, 1 on its own, 3 never; the units differ."""
    draw = np.random.default_rng(0)
    first, second, noise = draw.standard_normal((3, 300))
    columns = [first * 100 + 7, second, first * 0.01 + 0.0001 * noise, np.full(300, 5.0)]
    return np.column_stack(columns).astype(np.float32)


def test_components_are_those_of_standardised_states(states):
    plane = make_plane(states, np.array([300]))
    assert plane.explained == pytest.approx((2 / 3, 1 / 3), abs=0.02)
    scaled = (states[:, :3] - states[:, :3].mean(0)) / states[:, :3].std(0)
    expected = np.linalg.svd(scaled - scaled.mean(0), full_matrices=False)
    np.testing.assert_allclose(
        np.abs(plane.paths[0][:, 0]), np.abs(expected.U[:, 0] * expected.S[0]), atol=1e-2
    )


def test_the_plane_passes_through_the_mean_and_holds_the_demonstrations(states):
    plane = make_plane(states, np.array([100, 200]))
    assert [len(path) for path in plane.paths] == [100, 200]
    points = np.concatenate(plane.paths)
    for values, axis in ((points[:, 0], plane.x), (points[:, 1], plane.y)):
        assert axis[0] < values.min() < values.max() < axis[-1]
    corners = plane.states.reshape(ROWS, COLUMNS, -1)[[0, -1]][:, [0, -1]].astype(float)
    weight = -plane.x[0] / (plane.x[-1] - plane.x[0]), -plane.y[0] / (plane.y[-1] - plane.y[0])
    across = corners[:, 0] * (1 - weight[0]) + corners[:, 1] * weight[0]
    centre = across[0] * (1 - weight[1]) + across[1] * weight[1]
    np.testing.assert_allclose(centre, states.mean(axis=0), rtol=1e-4, atol=1e-4)
    assert (plane.states[:, 3] == 5.0).all()


def test_a_demonstration_on_the_plane_is_found_where_it_is_drawn():
    """With two dimensions the plane is everything: a point of it is the state itself."""
    states = np.random.default_rng(1).standard_normal((50, 2)).astype(np.float32)
    plane = make_plane(states, np.array([50]))
    grid = plane.states.reshape(ROWS, COLUMNS, 2)
    x, y = plane.paths[0][7]
    column, row = np.abs(plane.x - x).argmin(), np.abs(plane.y - y).argmin()
    spacing = max(plane.x[1] - plane.x[0], plane.y[1] - plane.y[0]) * states.std(0).max()
    assert np.abs(grid[row, column] - states[7]).max() < spacing


def test_variance_is_the_mean_of_squares_over_actions(linear_prior):
    states = np.random.default_rng(2).standard_normal((30, 3)).astype(np.float32)
    variance = variance_on(make_plane(states, np.array([30])), linear_prior)
    assert variance.shape == (ROWS, COLUMNS)
    np.testing.assert_allclose(variance, 0.25**2, rtol=1e-6)


def test_one_dimension_is_enough():
    plane = make_plane(np.arange(10, dtype=np.float32)[:, None], np.array([10]))
    assert plane.explained == (1.0, 0.0)
    assert np.isfinite(plane.states).all()
