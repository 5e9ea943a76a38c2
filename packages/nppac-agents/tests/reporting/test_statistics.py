from __future__ import annotations

import itertools

import numpy as np
import pytest
from nppac_agents.reporting.statistics import (
    interquartile_mean,
    mean,
    performance_profile,
    probability_of_improvement,
    stratified_bootstrap,
    wilson,
)
from scipy.stats import binomtest, bootstrap, mannwhitneyu, trim_mean


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
    found = stratified_bootstrap([scores], mean, generator=generator, resamples=20_000, level=0.9)
    assert found == pytest.approx((low, high), abs=0.26)


def test_tasks_are_resampled_apart():
    scores = np.repeat([[0.0, 1.0]], 6, axis=0)
    found = stratified_bootstrap(list(scores.T), mean, generator=np.random.default_rng(0))
    assert found == (0.5, 0.5)
    pooled = [scores.reshape(-1)]
    wide = stratified_bootstrap(pooled, mean, generator=np.random.default_rng(0))
    assert wide.high - wide.low > 0.4


def test_tasks_draw_their_runs_independently():
    column = np.arange(6.0)
    opposite = [column, -column]
    found = stratified_bootstrap(opposite, mean, generator=np.random.default_rng(0))
    assert found.low < -0.5 < 0.5 < found.high


def test_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        scores = [generator.standard_normal(20)]
        low, high = stratified_bootstrap(scores, mean, generator=generator, resamples=400)
        hits += low <= 0 <= high
    assert 0.87 <= hits / 200 <= 0.98


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (7, 10), (190, 200), (200, 200)])
def test_wilsons_interval_is_scipys(successes, trials):
    expected = binomtest(successes, trials).proportion_ci(0.9, method="wilson")
    assert wilson(successes, trials, level=0.9) == pytest.approx(tuple(expected), abs=1e-12)


def test_wilsons_interval_is_of_95_percent():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def tasks_of(seed: int) -> list[np.ndarray]:
    """Scores of three tasks with ties, and not equally many runs."""
    generator = np.random.default_rng(seed)
    return [np.round(generator.random(runs), 1) for runs in (6, 5, 8)]


def test_interquartile_mean_is_the_trimmed_mean_of_all_tasks_scores():
    pooled = np.concatenate(tasks_of(0))
    assert interquartile_mean(pooled) == pytest.approx(trim_mean(pooled, 0.25))


def test_a_profile_is_the_share_of_runs_above_each_threshold():
    scores = [np.array([0.0, 0.5, 1.0]), np.array([0.5, 0.75])]
    thresholds = np.array([-0.1, 0.0, 0.5, 0.7, 1.0])
    generator = np.random.default_rng(0)
    shares, low, high = performance_profile(scores, thresholds, generator=generator)
    np.testing.assert_allclose(shares, [1, 0.8, 0.4, 0.4, 0])
    assert (low[0], high[0], low[-1], high[-1]) == (1, 1, 0, 0)
    assert all(low[1:-1] < shares[1:-1])
    assert all(shares[1:-1] < high[1:-1])


def test_a_profiles_band_is_that_of_a_binomial_share():
    scores = [np.repeat([0.0, 1.0], [12, 28])]
    _, low, high = performance_profile(scores, np.array([0.5]), generator=np.random.default_rng(0))
    draws = np.random.default_rng(1).binomial(40, 0.7, 100_000) / 40
    np.testing.assert_allclose([low[0], high[0]], np.quantile(draws, [0.025, 0.975]), atol=0.026)


def test_probability_of_improvement_is_the_mann_whitney_statistic_over_the_pairs():
    one, other = tasks_of(0), tasks_of(1)
    expected = [
        mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in zip(one, other, strict=True)
    ]
    found, interval = probability_of_improvement(one, other, generator=np.random.default_rng(0))
    assert found == pytest.approx(np.mean(expected))
    assert interval.low < found < interval.high
    back, _ = probability_of_improvement(other, one, generator=np.random.default_rng(0))
    assert back == pytest.approx(1 - found)


def test_a_method_that_is_always_better_improves_for_sure():
    better, worse = [np.array([2.0, 3.0])], [np.array([0.0, 1.0])]
    found = probability_of_improvement(better, worse, generator=np.random.default_rng(0))
    assert found == (1.0, (1.0, 1.0))


def test_intervals_are_scipys_bootstrap_of_independent_samples():
    """Drawing within each task is what SciPy does with several samples that are not paired."""
    one, other = tasks_of(0), tasks_of(1)

    def pooled(*samples, axis):
        return trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis)

    def improvement(*samples, axis):
        half = len(samples) // 2
        shares = [
            (x[..., :, None] > y[..., None, :]).mean(axis=(-2, -1))
            + 0.5 * (x[..., :, None] == y[..., None, :]).mean(axis=(-2, -1))
            for x, y in zip(samples[:half], samples[half:], strict=True)
        ]
        return np.mean(shares, axis=0)

    options = {"method": "percentile", "n_resamples": 20_000, "rng": np.random.default_rng(1)}
    expected = bootstrap(one, pooled, **options).confidence_interval
    found = stratified_bootstrap(
        one, interquartile_mean, generator=np.random.default_rng(0), resamples=20_000
    )
    assert found == pytest.approx(tuple(expected), abs=0.01)
    expected = bootstrap((*one, *other), improvement, **options).confidence_interval
    _, found = probability_of_improvement(one, other, generator=np.random.default_rng(0))
    assert found == pytest.approx(tuple(expected), abs=0.02)
