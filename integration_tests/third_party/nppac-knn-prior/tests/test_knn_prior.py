from __future__ import annotations

import pytest
import torch
from nppac_knn_prior.config import KNNConfig
from nppac_priors import DataError, prior_registry
from nppac_priors.testing import PriorConformance


class TestConformance(PriorConformance):
    config = KNNConfig(neighbours=50, far_std=0.3)


@pytest.fixture
def demonstrations():
    generator = torch.Generator().manual_seed(0)
    states = torch.rand(200, 3, generator=generator)
    return states, torch.tanh(states[:, :2] * 2 - 1)


def test_it_is_found_by_kind():
    component = prior_registry().components["knn"]
    assert component.cls is KNNConfig
    assert (component.distribution, component.version) == ("nppac-knn-prior", "0.3.0")


def test_one_neighbour_gives_its_action_and_the_smallest_std(demonstrations):
    states, actions = demonstrations
    prior = KNNConfig(neighbours=1, min_std=0.1).fit(states, actions)
    mean, std = prior.moments(states)
    torch.testing.assert_close(mean, actions)
    torch.testing.assert_close(std, torch.full_like(std, 0.1))


def test_the_mean_is_that_of_the_neighbours_found_by_sorting(demonstrations):
    states, actions = demonstrations
    prior = KNNConfig(neighbours=5).fit(states, actions)
    query = torch.tensor([[0.3, 0.6, 0.5]])
    scale = states.std(dim=0, correction=0)
    order = (((states - query) / scale) ** 2).sum(dim=1).argsort()[:5]
    torch.testing.assert_close(prior.mean(query)[0], actions[order].mean(dim=0))


def test_the_std_grows_to_the_far_value(demonstrations):
    prior = KNNConfig(far_std=0.8).fit(*demonstrations)
    steps = torch.linspace(1, 30, 30)[:, None].expand(30, 3)
    std = prior.moments(steps)[1]
    assert (std.diff(dim=0) >= -1e-6).all()
    torch.testing.assert_close(std[-1], torch.full((2,), 0.8))


def test_fewer_demonstrations_than_neighbours_are_all_averaged():
    prior = KNNConfig(neighbours=8).fit(torch.eye(3), torch.eye(3))
    torch.testing.assert_close(prior.mean(torch.zeros(1, 3)), torch.full((1, 3), 1 / 3))


def test_weights_are_refused(demonstrations):
    with pytest.raises(DataError, match="counts all states alike"):
        KNNConfig().fit(*demonstrations, weights=torch.arange(200.0))
