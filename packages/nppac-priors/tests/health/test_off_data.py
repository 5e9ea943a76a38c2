from __future__ import annotations

import numpy as np
import pytest
from nppac_priors.health.off_data import off_data, std_by_distance
from nppac_priors.health.probes import Probes


@pytest.fixture
def probes():
    """100 states on the data, 100 at each of the distances 1, 10 and 100."""
    distance = np.repeat([0.0, 1.0, 10.0, 100.0], 100)
    return Probes(np.zeros((400, 1), np.float32), distance, distance == 0, dimensions=1)


def stds(*groups):
    """One std for each of the four distances."""
    return np.repeat(np.array(groups, dtype=float), 100)


def test_a_std_that_grows_has_no_collapse(probes):
    found = off_data(stds(0.1, 0.2, 0.3, 0.3), probes, off_data_from=2.0)
    assert (found.collapse_score, found.off_data_states) == (0.0, 200)
    assert found.growth_ratio == pytest.approx(3.0)
    assert (found.on_data_median_std, found.on_data_mean_std) == pytest.approx((0.1, 0.1))


def test_a_std_that_vanishes_has_collapsed(probes):
    found = off_data(stds(0.1, 0.2, 0.05, 1e-9), probes, off_data_from=2.0)
    assert found.collapse_score == 1.0
    assert found.growth_ratio == pytest.approx((0.05 + 1e-9) / 2 / 0.1)


@pytest.mark.parametrize(("off_data_from", "score"), [(0.5, 1 / 3), (1.0, 1 / 2), (10.0, 1.0)])
def test_the_score_is_a_share_of_the_states_off_the_data(probes, off_data_from, score):
    found = off_data(stds(0.1, 0.2, 0.2, 0.05), probes, off_data_from)
    assert found.collapse_score == pytest.approx(score)


def test_a_constant_std_has_not_collapsed(probes):
    found = off_data(stds(0.1, 0.1, 0.1, 0.1), probes, off_data_from=2.0)
    assert (found.collapse_score, found.growth_ratio) == (0.0, 1.0)


def test_median_and_mean_on_the_data_differ_where_the_std_is_skewed(probes):
    values = stds(0.1, 0.2, 0.2, 0.2)
    values[:10] = 1.1
    found = off_data(values, probes, off_data_from=2.0)
    assert found.on_data_median_std == pytest.approx(0.1)
    assert found.on_data_mean_std == pytest.approx(0.2)


def test_the_curve_has_the_data_first_and_then_logarithmic_bins(probes):
    curve = std_by_distance(stds(0.1, 0.2, 0.3, 0.4), probes)
    assert curve.distance == pytest.approx((0.0, 1.0, 10.0, 100.0))
    assert curve.mean_std == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert curve.states == (100, 100, 100, 100)


def test_the_band_holds_the_percentiles_of_the_states(probes):
    values = stds(0.1, 0.2, 0.3, 0.4)
    values[100:200] = np.linspace(0, 1, 100)
    curve = std_by_distance(values, probes)
    assert (curve.p10[1], curve.p90[1]) == pytest.approx((0.1, 0.9))


def test_a_bin_of_few_states_is_left_out(probes):
    distance = probes.distance.copy()
    distance[-5:] = 1e4
    few = Probes(probes.states, distance, probes.on_data, 1)
    assert std_by_distance(stds(0.1, 0.2, 0.3, 0.4), few).states == (100, 100, 100, 95)
