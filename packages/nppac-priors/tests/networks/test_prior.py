from __future__ import annotations

import pytest
import torch
from nppac_priors import EnsembleConfig, GaussianMLPConfig
from nppac_priors.networks import prior as module
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.prior import MLPPrior
from nppac_priors.networks.training_set import Standardiser

SHIFT = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
SCALE = torch.tensor([1.0, 10.0, 0.1, 2.0], dtype=torch.float64)


@pytest.fixture
def standardiser() -> Standardiser:
    return Standardiser(SHIFT, SCALE)


@pytest.fixture
def states(batch) -> torch.Tensor:
    """As a prior takes them, in float32; what it does with them here is in float64."""
    return batch.states.float()


def repeated(networks: StackedNetworks, times: int) -> StackedNetworks:
    return StackedNetworks(
        tuple(w[:1].repeat(times, 1, 1) for w in networks.weights),
        tuple(b[:1].repeat(times, 1, 1) for b in networks.biases),
    )


def test_an_ensemble_of_identical_members_is_one_member(networks, standardiser, states) -> None:
    one = MLPPrior(GaussianMLPConfig(), repeated(networks, 1), standardiser)
    many = MLPPrior(EnsembleConfig(), repeated(networks, 5), standardiser)
    for mine, theirs in zip(one.moments(states), many.moments(states), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_one_network_is_its_own_mean_and_std(networks, standardiser, states) -> None:
    prior = MLPPrior(GaussianMLPConfig(), repeated(networks, 1), standardiser)
    mean, log_std = networks((states - SHIFT) / SCALE)
    expected = mean[0].float(), log_std[0].exp().float()
    torch.testing.assert_close(prior.moments(states), expected)


def test_many_states_are_answered_in_parts(networks, standardiser, states, monkeypatch) -> None:
    prior = MLPPrior(EnsembleConfig(), networks, standardiser)
    whole = prior.moments(states)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 9)
    torch.testing.assert_close(prior.moments(states), whole)


def test_no_states_have_no_moments(networks, standardiser) -> None:
    mean, std = MLPPrior(EnsembleConfig(), networks, standardiser).moments(torch.zeros(0, 4))
    assert mean.shape == std.shape == (0, 2)
