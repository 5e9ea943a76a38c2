from __future__ import annotations

import pytest
import torch
from nppac_priors import BayesianMLPConfig
from nppac_priors.networks.bayesian.dropout import DropoutPosterior
from nppac_priors.networks.perceptrons import StackedNetworks, gaussian_nll
from nppac_priors.networks.training_set import TrainingSet


@pytest.fixture
def data() -> TrainingSet:
    generator = torch.Generator().manual_seed(0)
    return TrainingSet.check(
        torch.randn(30, 3, generator=generator),
        torch.rand(30, 2, generator=generator),
        episode_lengths=torch.tensor([30]),
        weights=torch.ones(30),
        held_out_share=0.0,
        generator=generator,
    )


def posterior(data: TrainingSet, rate: float) -> tuple[DropoutPosterior, StackedNetworks]:
    sizes = data.layer_sizes((40,))
    initial = StackedNetworks.draw(1, sizes, torch.Generator().manual_seed(1))
    return DropoutPosterior(initial, data, rate=rate, samples=32, weight_std=0.5), initial


def test_a_draw_is_the_network_without_some_hidden_units(data) -> None:
    dropout, network = posterior(data, 0.25)
    drawn = dropout.draw(200)
    kept = drawn.weights[1].abs().sum(2) > 0
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.02)
    assert not torch.equal(kept[0], kept[1])
    hidden = (data.fitted.states @ network.weights[0][0] + network.biases[0][0]).relu()
    heads = hidden * kept[7] / 0.75 @ network.weights[1][0] + network.biases[1][0]
    mean, log_std = drawn(data.fitted.states)
    torch.testing.assert_close(mean[7], heads[:, :2].tanh())
    torch.testing.assert_close(log_std[7], heads[:, 2:])


@pytest.mark.parametrize("rate", [1e-9, 0.3])
def test_the_penalty_is_that_of_the_draws_under_a_normal_prior(data, rate) -> None:
    """Of weights and biases of std 0.5 / sqrt(inputs), shared by 30 observations."""
    dropout, network = posterior(data, rate)
    noise = torch.Generator().manual_seed(2)
    for tensor in network.tensors:
        tensor.data.normal_(0.0, 0.2, generator=noise)
    batch = data.fitted.take(torch.arange(30)[None])
    torch.manual_seed(3)
    loss = dropout.loss(batch)[0]
    torch.manual_seed(3)
    nll = gaussian_nll(batch.actions, *network(batch.states, rate)).mean()
    drawn = dropout.draw(20_000)
    expected = sum(
        w.shape[1] * (w.square().sum((1, 2)) + b.square().sum((1, 2))).mean() / (2.0 * 0.5**2)
        for w, b in zip(drawn.weights, drawn.biases, strict=True)
    )
    torch.testing.assert_close(loss - nll, expected / 30.0, rtol=0.005, atol=0)


def test_the_prior_has_the_stated_number_of_draws() -> None:
    config = BayesianMLPConfig(inference="dropout", steps=5, samples=7, hidden=(8,))
    assert config.fit(torch.rand(20, 3), torch.rand(20, 2)).networks.count == 7
