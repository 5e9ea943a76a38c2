from __future__ import annotations

import math

import pyro
import pytest
import torch
from nppac_priors import BayesianMLPConfig
from nppac_priors.networks.bayesian.variational import VariationalPosterior
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.training_set import Batch, TrainingSet
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

CONFIG = BayesianMLPConfig(hidden=(6,), weight_std=0.8, steps=20, samples=8)


@pytest.fixture
def data() -> TrainingSet:
    generator = torch.Generator().manual_seed(0)
    return TrainingSet.check(
        torch.randn(30, 3, generator=generator),
        torch.rand(30, 2, generator=generator),
        episode_lengths=torch.tensor([30]),
        weights=torch.rand(30, generator=generator),
        held_out_share=0.0,
        generator=generator,
    )


@pytest.fixture
def initial(data) -> StackedNetworks:
    return StackedNetworks.draw(1, data.layer_sizes((6,)), torch.Generator().manual_seed(1))


@pytest.fixture
def posterior(data, initial) -> VariationalPosterior:
    return VariationalPosterior(initial, data, samples=8, weight_std=0.8)


def flat(networks: StackedNetworks) -> torch.Tensor:
    """(K, weights)."""
    return torch.cat([tensor.flatten(1) for tensor in networks.tensors], dim=1)


def weight_stds(networks: StackedNetworks) -> torch.Tensor:
    """Std before any data of every weight, in the order of `flat`."""
    inputs = [w.shape[1] for w in networks.weights] * 2
    return torch.cat(
        [
            torch.full((tensor[0].numel(),), 0.8 / math.sqrt(count))
            for tensor, count in zip(networks.tensors, inputs, strict=True)
        ]
    )


def test_the_posterior_starts_at_the_initial_network(posterior, initial) -> None:
    draws = flat(posterior.draw(500))
    torch.testing.assert_close(draws.mean(0), flat(initial)[0], rtol=0, atol=0.003)
    torch.testing.assert_close(draws.std(0).mean(), torch.tensor(0.01), rtol=0.05, atol=0)


def test_the_loss_is_the_negative_evidence_bound_by_hand(posterior, data, initial) -> None:
    """With a narrow posterior the expected likelihood is that of its mean; the KL is torch's."""
    loc, unconstrained = posterior.parameters
    with torch.no_grad():
        unconstrained.fill_(-15.0)
    rows = torch.arange(30).repeat(1, 2)
    batch = data.fitted.take(rows)
    mean, log_std = initial(data.fitted.states)
    log_likelihood = Normal(mean[0], log_std[0].exp()).log_prob(data.fitted.actions).sum(1)
    posterior_normal = Normal(loc.detach()[0], functional.softplus(unconstrained.detach()[0]))
    kl = kl_divergence(posterior_normal, Normal(torch.zeros(()), weight_stds(initial))).sum()
    expected = -(data.fitted.weights * log_likelihood).mean() + kl / data.observations
    torch.testing.assert_close(posterior.loss(batch)[0].detach(), expected, rtol=1e-4, atol=0)


@pytest.mark.medium
def test_without_a_likelihood_the_posterior_becomes_the_prior(posterior, data, initial) -> None:
    states, actions, weights = (t[None] for t in vars(data.fitted).values())
    nothing = Batch(states, actions, 1e-12 * weights)
    optimizer = torch.optim.Adam(posterior.parameters, lr=0.05)
    for _ in range(250):
        optimizer.zero_grad()
        posterior.loss(nothing).sum().backward()
        optimizer.step()
    draws = flat(posterior.draw(2000))
    torch.testing.assert_close(draws.std(0), weight_stds(initial), rtol=0.1, atol=0)
    torch.testing.assert_close(draws.mean(0), torch.zeros(draws.shape[1]), rtol=0, atol=0.08)


def test_pyros_parameter_store_is_left_alone() -> None:
    store = pyro.get_param_store()
    with store.scope():
        mine = pyro.param("weights", torch.ones(3))
        CONFIG.fit(torch.rand(20, 3), torch.rand(20, 2))
        assert list(store.keys()) == ["weights"]
        assert pyro.param("weights") is mine
        assert torch.equal(mine, torch.ones(3))


def test_a_fit_inside_anothers_store_sees_nothing_of_it() -> None:
    states, actions = torch.rand(20, 3), torch.rand(20, 2)
    expected = CONFIG.fit(states, actions).mean(states)
    with pyro.get_param_store().scope():
        pyro.param("weights", torch.full((1, 52), 7.0))
        assert torch.equal(CONFIG.fit(states, actions).mean(states), expected)
