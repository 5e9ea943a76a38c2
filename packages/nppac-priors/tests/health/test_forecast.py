from __future__ import annotations

import math

import pytest
import torch
from nppac_priors.health.forecast import MEAN_OFFSET, forecast, gradient_norm, kl_divergence
from torch.distributions import Independent, Normal
from torch.distributions import kl_divergence as kl_of_torch


@pytest.fixture
def stds():
    generator = torch.Generator().manual_seed(0)
    prior = torch.rand(20, 3, generator=generator, dtype=torch.float64) + 0.05
    return prior, torch.tensor([0.1, 0.2, 0.4], dtype=torch.float64)


def divergence(prior_std, mean, log_std):
    """KL of a policy from a prior with mean 0, in torch's words, summed over dimensions."""
    prior = Independent(Normal(torch.zeros_like(prior_std), prior_std), 1)
    return kl_of_torch(Independent(Normal(mean, log_std.exp()), 1), prior)


def test_the_offset_is_a_tenth_of_an_action_unit():
    assert MEAN_OFFSET == 0.1


def test_kl_by_hand():
    """Equal stds leave offset^2 / (2 variance) for each dimension: half a nat here."""
    found = forecast(torch.full((5, 3), 0.1), torch.full((3,), 0.1))
    assert found.kl.mean == pytest.approx(3 * 0.5, rel=1e-6)
    assert found.kl.median == pytest.approx(3 * 0.5, rel=1e-6)


def test_gradient_by_hand():
    """Equal stds leave offset / variance for each dimension: 10 here; nothing for the std."""
    found = forecast(torch.full((5, 3), 0.1), torch.full((3,), 0.1))
    assert found.gradient_norm.mean == pytest.approx(math.sqrt(3) * 10, rel=1e-6)


def test_kl_is_that_of_torch(stds):
    prior, policy = stds
    expected = divergence(prior, torch.full_like(prior, MEAN_OFFSET), policy.log().expand(20, 3))
    torch.testing.assert_close(kl_divergence(prior, policy), expected)


def test_gradient_is_that_of_autograd(stds):
    prior, policy = stds
    mean = torch.full_like(prior, MEAN_OFFSET).requires_grad_()
    log_std = policy.log().expand(20, 3).clone().requires_grad_()
    gradients = torch.autograd.grad(divergence(prior, mean, log_std).sum(), (mean, log_std))
    expected = torch.cat(gradients, dim=1).norm(dim=1)
    torch.testing.assert_close(gradient_norm(prior, policy), expected)


def test_both_grow_as_one_over_the_variance():
    policy = torch.tensor([0.1], dtype=torch.float64)
    wide, narrow = torch.tensor([[1e-3]]).double(), torch.tensor([[5e-4]]).double()
    assert (kl_divergence(narrow, policy) / kl_divergence(wide, policy)).item() == pytest.approx(
        4, rel=1e-3
    )
    assert (gradient_norm(narrow, policy) / gradient_norm(wide, policy)).item() == pytest.approx(4)


def test_a_float32_std_as_small_as_can_be_gives_finite_numbers():
    found = forecast(torch.full((4, 2), 1e-45), torch.full((2,), 0.1))
    assert math.isfinite(found.kl.mean)
    assert math.isfinite(found.gradient_norm.p95)


def test_summary_is_over_states():
    prior = torch.tensor([0.1] * 99 + [0.01]).reshape(100, 1)
    found = forecast(prior, torch.tensor([0.1])).gradient_norm
    assert found.median == pytest.approx(10, rel=1e-5)
    assert found.p95 == pytest.approx(10, rel=1e-5)
    rare = math.hypot(1000, 99)
    assert found.mean == pytest.approx((99 * 10 + rare) / 100, rel=1e-5)
