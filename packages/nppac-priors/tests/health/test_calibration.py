from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from nppac_priors.health.calibration import (
    LEVELS,
    calibration,
    gaussian_crps,
    negative_log_likelihood,
    observed_coverage,
)
from scipy import integrate, stats
from torch.distributions import Normal

COUNT = 20_000


def standard_actions(std):
    """(COUNT, 2): the exact quantiles of N(0, std^2), so that averages are integrals."""
    grid = (torch.arange(COUNT, dtype=torch.float64) + 0.5) / COUNT
    column = std * torch.special.ndtri(grid)
    return torch.stack([column, column.flip(0)], dim=1)


@pytest.fixture
def predicted():
    """A forecast of N(0, 0.2^2) for actions that have the std asked for."""

    def make(true_std, forecast_std=0.2):
        actions = standard_actions(true_std)
        return calibration(
            torch.zeros_like(actions), torch.full_like(actions, forecast_std), actions
        )

    return make


def test_nll_is_that_of_torch():
    error, std = torch.randn(50, 3, dtype=torch.float64), torch.rand(50, 3).double() + 0.01
    expected = -Normal(torch.zeros_like(std), std).log_prob(error)
    torch.testing.assert_close(negative_log_likelihood(error, std), expected)


@pytest.mark.parametrize(("error", "std"), [(0.0, 1.0), (0.7, 0.3), (-2.0, 0.5), (0.3, 2.0)])
def test_crps_is_its_defining_integral(error, std):
    below, _ = integrate.quad(lambda x: stats.norm.cdf(x, scale=std) ** 2, -20, error)
    above, _ = integrate.quad(lambda x: stats.norm.sf(x, scale=std) ** 2, error, 20)
    found = gaussian_crps(torch.tensor(error).double(), torch.tensor(std).double())
    assert found.item() == pytest.approx(below + above, abs=1e-7)


def test_crps_of_a_certain_forecast_is_the_absolute_error():
    found = gaussian_crps(torch.tensor([0.3, -0.4]).double(), torch.full((2,), 1e-12).double())
    torch.testing.assert_close(found, torch.tensor([0.3, 0.4]).double())


def test_a_calibrated_prior(predicted):
    found = predicted(0.2)
    assert found.coverage == pytest.approx({0.5: 0.5, 0.9: 0.9, 0.95: 0.95}, abs=1e-3)
    assert found.calibration_error < 1e-3
    assert found.rmse == pytest.approx(0.2, rel=1e-3)
    assert found.sharpness == pytest.approx(found.rmse, rel=1e-3)
    assert found.crps == pytest.approx(0.2 / math.sqrt(math.pi), rel=1e-3)
    assert found.nll == pytest.approx(0.5 * math.log(2 * math.pi * math.e * 0.04), abs=1e-3)


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
def test_a_prior_whose_std_is_wrong_by_a_factor(predicted, factor):
    found = predicted(factor * 0.2)
    z = stats.norm.ppf((1 + np.array(LEVELS)) / 2)
    expected = 2 * stats.norm.cdf(z / factor) - 1
    np.testing.assert_allclose(found.observed_coverage, expected, atol=2e-3)
    error = np.abs(expected - np.array(LEVELS)).mean()
    assert found.calibration_error == pytest.approx(error, abs=1e-3)
    assert found.coverage[0.9] == pytest.approx(
        2 * stats.norm.cdf(stats.norm.ppf(0.95) / factor) - 1, abs=1e-3
    )
    nll = 0.5 * math.log(2 * math.pi * 0.04) + 0.5 * factor**2
    assert found.nll == pytest.approx(nll, abs=5e-3)


def test_sharpness_is_the_root_of_the_mean_variance_and_not_the_mean_std():
    std = torch.tensor([[0.1, 0.7]])
    found = calibration(torch.zeros(1, 2), std, torch.zeros(1, 2))
    assert found.sharpness == pytest.approx(math.sqrt((0.01 + 0.49) / 2))


def test_rmse_over_all_entries_and_by_dimension():
    actions = torch.tensor([[0.3, 0.0], [-0.3, 0.4]])
    found = calibration(torch.zeros(2, 2), torch.ones(2, 2), actions)
    assert found.rmse == pytest.approx(math.sqrt((0.09 + 0.09 + 0.16) / 4))
    assert found.rmse_of_dimensions == pytest.approx((0.3 + math.sqrt(0.08)) / 2)
    assert found.steps == 2


def test_an_interval_contains_its_ends():
    edge = stats.norm.ppf(0.75)
    assert observed_coverage(torch.tensor([edge - 1e-9, edge + 1e-9]).double(), (0.5,)) == (0.5,)
