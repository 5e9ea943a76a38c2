from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from nppac_agents.running.prior_std import prior_std_curve

STATES, ACTIONS = 5, 3


class RadialPrior:
    """std = 0.1 + distance / (1 + distance), by a distance computed on its own; counts its work."""

    def __init__(self, states):
        self.states = torch.as_tensor(states, dtype=torch.float64)
        self.evaluated = 0

    def moments(self, states):
        self.evaluated += len(states)
        scale = self.states.std(dim=0, correction=0)
        moving = scale > 0
        points = self.states[:, moving] / scale[moving]
        queries = torch.as_tensor(states, dtype=torch.float64)[:, moving] / scale[moving]
        differences = queries[:, None] - points[None]
        distance = differences.square().sum(-1).sqrt().amin(1)
        std = 0.1 + distance / (1 + distance)
        actions = torch.linspace(0.5, 1.5, ACTIONS)
        return torch.zeros(len(states), ACTIONS), (std[:, None] * actions).float()


@pytest.fixture
def states():
    scale = np.array([1.0, 0.01, 100.0, 0.0, 3.0])
    rng = np.random.default_rng(0)
    return (rng.standard_normal((300, STATES)) * scale + 7.0).astype(np.float32)


def curve(states, seed=0):
    prior: Any = RadialPrior(states)
    generator = torch.Generator().manual_seed(seed)
    return prior_std_curve(prior, states, generator=generator), prior


def test_curve_follows_the_prior(states):
    found, _ = curve(states)
    distance = np.array(found["distance"])
    assert distance[0] == 0
    assert distance[1] < 0.1
    assert distance[-1] > 100
    assert (np.diff(distance) > 0).all()
    expected = 0.1 + distance / (1 + distance)
    np.testing.assert_allclose(found["mean_std"], expected, rtol=0.03, atol=2e-3)
    assert found["on_data_median"] == pytest.approx(0.1, abs=2e-3)


def test_percentiles_enclose_the_mean_and_bins_are_not_tiny(states):
    found, _ = curve(states)
    low, middle, high = (np.array(found[key]) for key in ("p10", "mean_std", "p90"))
    assert (low <= middle + 1e-9).all()
    assert (middle <= high + 1e-9).all()
    assert min(found["n"]) >= 10
    assert len(set(map(len, (found[k] for k in ("distance", "mean_std", "p10", "p90", "n"))))) == 1


def test_cost_is_bounded_and_result_is_json(states):
    found, prior = curve(states)
    assert prior.evaluated <= 3000
    assert sum(found["n"]) <= prior.evaluated
    assert json.loads(json.dumps(found)) == found


def test_constant_dimensions_do_not_count(states):
    found, _ = curve(states)
    assert found["dimensions"] == STATES - 1


def test_generator_decides(states):
    assert curve(states, 1)[0] == curve(states, 1)[0]
    assert curve(states, 1)[0] != curve(states, 2)[0]


def test_demonstrations_that_never_vary_leave_the_data_alone():
    found, _ = curve(np.full((4, STATES), 2.0, np.float32))
    assert found["distance"] == [0.0]
    assert found["dimensions"] == 0


def test_more_pairs_than_fit_at_once_change_nothing(states, monkeypatch):
    whole, _ = curve(states)
    monkeypatch.setattr("nppac_priors.health.probes._DISTANCES_AT_ONCE", 1000)
    assert curve(states)[0] == whole
