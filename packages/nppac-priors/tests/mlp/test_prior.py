from __future__ import annotations

import pytest
import torch
from nppac_priors import EnsembleConfig, GaussianMLPConfig
from nppac_priors.mlp import prior as module
from nppac_priors.mlp.networks import StackedNetworks
from nppac_priors.mlp.prior import MLPPrior
from nppac_priors.mlp.training_set import Standardiser


@pytest.fixture
def standardiser() -> Standardiser:
    return Standardiser(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([1.0, 10.0, 0.1, 2.0]))


def repeated(networks: StackedNetworks, times: int) -> StackedNetworks:
    return StackedNetworks(
        tuple(w[:1].repeat(times, 1, 1) for w in networks.weights),
        tuple(b[:1].repeat(times, 1, 1) for b in networks.biases),
    )


def test_an_ensemble_of_identical_members_is_one_member(networks, standardiser, batch) -> None:
    one = MLPPrior(GaussianMLPConfig(), repeated(networks, 1), standardiser)
    many = MLPPrior(EnsembleConfig(), repeated(networks, 5), standardiser)
    for mine, theirs in zip(one.moments(batch.states), many.moments(batch.states), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-7)


def test_one_network_is_its_own_mean_and_std(networks, standardiser, batch) -> None:
    prior = MLPPrior(GaussianMLPConfig(), repeated(networks, 1), standardiser)
    seen = (batch.states - torch.tensor([1.0, 2.0, 3.0, 4.0])) / torch.tensor([1.0, 10.0, 0.1, 2.0])
    mean, log_std = networks(seen)
    torch.testing.assert_close(prior.moments(batch.states), (mean[0], log_std[0].exp()))


def test_many_states_are_answered_in_parts(networks, standardiser, batch, monkeypatch) -> None:
    prior = MLPPrior(EnsembleConfig(), networks, standardiser)
    whole = prior.moments(batch.states)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 9)
    torch.testing.assert_close(prior.moments(batch.states), whole)


def test_no_states_have_no_moments(networks, standardiser) -> None:
    mean, std = MLPPrior(EnsembleConfig(), networks, standardiser).moments(torch.zeros(0, 4))
    assert mean.shape == std.shape == (0, 2)
