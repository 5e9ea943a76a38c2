from __future__ import annotations

import math

import pytest
import torch
from nppac_priors import BayesianMLPConfig, prior_registry
from nppac_priors.networks.bayesian.predictive import predictive_nll
from nppac_priors.networks.perceptrons import StackedNetworks
from nppac_priors.networks.training_set import Batch
from pydantic import ValidationError

pytestmark = pytest.mark.medium


def test_is_found_by_its_kind() -> None:
    assert prior_registry().get("bayesian-mlp") is BayesianMLPConfig


@pytest.mark.parametrize("inference", ["variational", "dropout"])
def test_different_generators_draw_different_networks(inference) -> None:
    states, actions = torch.rand(50, 3), torch.rand(50, 2)
    config = BayesianMLPConfig(inference=inference, hidden=(8,), steps=5, samples=4)
    fits = [
        config.fit(states, actions, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    means = [fit.mean(states) for fit in fits]
    assert torch.equal(means[0], means[1])
    assert not torch.equal(means[0], means[2])


def test_weight_draws_and_noise_add_up_as_variances() -> None:
    """Two draws that say 0.4 and -0.4, both with noise of 0.3, are a std of 0.5."""
    heads = torch.tensor([[math.atanh(0.4), math.log(0.3)], [math.atanh(-0.4), math.log(0.3)]])
    networks = StackedNetworks((torch.zeros(2, 1, 2),), (heads[:, None],))
    batch = Batch(torch.zeros(1, 1), torch.full((1, 1), 0.5), torch.ones(1))
    expected = 0.5 + math.log(0.5 * math.sqrt(2.0 * math.pi))
    torch.testing.assert_close(predictive_nll(networks, batch), torch.tensor([expected]))


@pytest.mark.parametrize(
    "fields",
    [{"inference": "laplace"}, {"samples": 1}, {"weight_std": 0.0}, {"dropout": 1.0}],
)
def test_values_out_of_bounds_are_refused(fields) -> None:
    with pytest.raises(ValidationError):
        BayesianMLPConfig(**fields)
