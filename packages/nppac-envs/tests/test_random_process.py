from __future__ import annotations

import numpy as np
import pytest
from nppac_envs.random_process import OrnsteinUhlenbeck


def test_mean_spread_and_correlation_are_those_of_the_process():
    """An AR(1) process with coefficient 1 - theta; small sigma, so that nothing is clipped."""
    theta, sigma = 0.15, 0.1
    process = OrnsteinUhlenbeck(400, np.random.default_rng(0), theta=theta, sigma=sigma)
    values = np.stack([process() for _ in range(300)])[100:]
    assert np.abs(values).max() < 1
    stationary_std = sigma / np.sqrt(1 - (1 - theta) ** 2)
    assert values.mean() == pytest.approx(0.0, abs=0.01)
    assert values.std() == pytest.approx(stationary_std, rel=0.02)
    lag = (values[1:] * values[:-1]).mean() / values.var()
    assert lag == pytest.approx(1 - theta, abs=0.01)


def test_the_first_action_after_a_reset_is_a_fresh_step():
    process = OrnsteinUhlenbeck(20_000, np.random.default_rng(1), sigma=0.2)
    for _ in range(20):
        process()
    process.reset()
    assert process().std() == pytest.approx(0.2, rel=0.03)


def test_actions_are_clipped():
    process = OrnsteinUhlenbeck(3, np.random.default_rng(2), sigma=50.0)
    assert np.abs(process()).max() == 1.0
