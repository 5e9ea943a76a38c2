from __future__ import annotations

import pytest
import torch
from nppac_priors import EnsembleConfig, prior_registry
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.prior import MLPPrior
from pydantic import ValidationError
from torch.distributions import Normal

SMALL = EnsembleConfig(hidden=(16,), steps=300, learning_rate=5e-3, members=4, held_out_share=0.0)


@pytest.fixture(scope="module")
def demonstrations() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(200, 3, generator=generator)
    noise = 0.05 * torch.randn(200, 2, generator=generator)
    return states, 0.5 * torch.stack((states[:, 0].sin(), states[:, 1].tanh()), dim=1) + noise


@pytest.fixture(scope="module")
def prior(demonstrations) -> MLPPrior:
    return SMALL.fit(*demonstrations)


def members(prior: MLPPrior) -> list[MLPPrior]:
    stacked = prior.networks
    return [
        MLPPrior(
            prior.config,
            StackedNetworks(
                tuple(w[k : k + 1] for w in stacked.weights),
                tuple(b[k : k + 1] for b in stacked.biases),
            ),
            prior.standardiser,
        )
        for k in range(stacked.count)
    ]


def test_is_found_by_its_kind() -> None:
    assert prior_registry().get("ensemble") is EnsembleConfig


def test_every_member_fits_and_no_two_are_alike(demonstrations, prior) -> None:
    states, actions = demonstrations
    means = [member.mean(states) for member in members(prior)]
    assert len(means) == 4
    for mean in means:
        assert (mean - actions).square().mean().sqrt() < 0.12
    assert not torch.equal(means[0], means[1])


def test_the_moments_are_those_of_draws_from_random_members(demonstrations, prior) -> None:
    states = 3.0 * demonstrations[0][:5]
    generator = torch.Generator().manual_seed(1)
    moments = [member.moments(states) for member in members(prior)]
    count = 100_000
    draws = torch.cat(
        [mean + std * torch.randn(count, 5, 2, generator=generator) for mean, std in moments]
    )
    mean, std = prior.moments(states)
    torch.testing.assert_close(mean, draws.mean(0), rtol=0, atol=0.01)
    torch.testing.assert_close(std, draws.std(0), rtol=0.02, atol=1e-3)


def test_members_disagree_more_away_from_the_data(demonstrations, prior) -> None:
    def disagreement(states: torch.Tensor) -> torch.Tensor:
        return torch.stack([member.mean(states) for member in members(prior)]).std(0).mean()

    assert disagreement(5.0 * demonstrations[0]) > 3.0 * disagreement(demonstrations[0])


def test_it_is_likelier_than_its_members_on_average(demonstrations, prior) -> None:
    """Jensen's inequality, for the mixture; its moments keep most of it."""
    states, actions = (tensor[:50] for tensor in demonstrations)
    single = [Normal(*m.moments(states)).log_prob(actions).mean() for m in members(prior)]
    assert Normal(*prior.moments(states)).log_prob(actions).mean() > torch.stack(single).mean()


def test_one_member_is_no_ensemble() -> None:
    with pytest.raises(ValidationError):
        EnsembleConfig(members=1)
