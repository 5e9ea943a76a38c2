from __future__ import annotations

import itertools

import numpy as np
import pytest
from nppac_agents.reporting.statistics import (
    interquartile_mean,
    mean,
    stratified_bootstrap,
    wilson,
)
from scipy.stats import binomtest


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([4.0], 4.0),
        ([1.0, 2.0, 6.0], 3.0),
        ([100.0, 1.0, 3.0, -50.0], 2.0),
        ([9.0, 1.0, 2.0, 3.0, 7.0], 4.0),
        ([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 9.0, 90.0], 2.5),
    ],
)
def test_interquartile_mean_is_the_mean_of_the_middle_half(scores, expected):
    assert interquartile_mean(np.array(scores)) == pytest.approx(expected)


def test_statistics_work_on_rows():
    rows = np.random.default_rng(0).standard_normal((4, 10))
    np.testing.assert_allclose(interquartile_mean(rows), [interquartile_mean(r) for r in rows])
    np.testing.assert_allclose(mean(rows), rows.sum(1) / 10)


def test_interval_is_that_of_all_possible_resamples():
    scores = np.array([0.0, 1.0, 5.0, 6.0])
    every = [np.mean(drawn) for drawn in itertools.product(scores, repeat=4)]
    low, high = np.quantile(every, [0.05, 0.95])
    generator = np.random.default_rng(1)
    found = stratified_bootstrap(
        scores[:, None], mean, generator=generator, resamples=20_000, level=0.9
    )
    assert found == pytest.approx((low, high), abs=0.26)


def test_tasks_are_resampled_apart():
    scores = np.repeat([[0.0, 1.0]], 6, axis=0)
    found = stratified_bootstrap(scores, mean, generator=np.random.default_rng(0))
    assert found == (0.5, 0.5)
    pooled = scores.reshape(-1, 1)
    wide = stratified_bootstrap(pooled, mean, generator=np.random.default_rng(0))
    assert wide.high - wide.low > 0.4


def test_tasks_draw_their_runs_independently():
    column = np.arange(6.0)
    opposite = np.stack([column, -column], axis=1)
    found = stratified_bootstrap(opposite, mean, generator=np.random.default_rng(0))
    assert found.low < -0.5 < 0.5 < found.high


def test_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        scores = generator.standard_normal((20, 1))
        low, high = stratified_bootstrap(scores, mean, generator=generator, resamples=400)
        hits += low <= 0 <= high
    assert 0.87 <= hits / 200 <= 0.98


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (7, 10), (190, 200), (200, 200)])
def test_wilsons_interval_is_scipys(successes, trials):
    expected = binomtest(successes, trials).proportion_ci(0.9, method="wilson")
    assert wilson(successes, trials, level=0.9) == pytest.approx(tuple(expected), abs=1e-12)


def test_wilsons_interval_is_of_95_percent():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
