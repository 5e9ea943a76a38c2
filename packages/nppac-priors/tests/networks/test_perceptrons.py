from __future__ import annotations

import math

import pytest
import torch
from nppac_priors.networks.perceptrons import (
    StackedNetworks,
    gaussian_entropy,
    gaussian_nll,
    mixture_moments,
)
from torch import nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal


def plain_network(networks: StackedNetworks, k: int) -> nn.Sequential:
    """Member k as a chain of PyTorch's own layers, without the heads' bounds."""
    layers: list[nn.Module] = []
    for weight, bias in zip(networks.weights, networks.biases, strict=True):
        linear = nn.Linear(*weight.shape[1:])
        linear.weight.data, linear.bias.data = weight[k].T, bias[k, 0]
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def test_one_batched_pass_is_every_network_on_its_own(networks, batch) -> None:
    mean, log_std = networks(batch.states)
    for k in range(3):
        heads = plain_network(networks, k)(batch.states)
        torch.testing.assert_close(mean[k], heads[:, :2].tanh())
        torch.testing.assert_close(log_std[k], heads[:, 2:])


def test_networks_may_have_states_of_their_own(networks, batch) -> None:
    own = torch.stack([batch.states, batch.states.flip(0), 2.0 * batch.states])
    mean, _ = networks(own)
    for k in range(3):
        torch.testing.assert_close(mean[k], networks(own[k])[0][k])


def test_the_log_std_is_bounded(networks, batch) -> None:
    _, log_std = networks(1e6 * batch.states)
    assert log_std.min() == -20.0
    assert log_std.max() == 2.0


def test_initial_weights_are_uniform_within_one_over_root_inputs() -> None:
    drawn = StackedNetworks.draw(2, (100, 300, 2), torch.Generator().manual_seed(0))
    for weight, bias in zip(drawn.weights, drawn.biases, strict=True):
        bound = 1.0 / math.sqrt(weight.shape[1])
        assert weight.abs().max() <= bound
        assert bias.abs().max() <= bound
        assert weight.std().item() == pytest.approx(bound / math.sqrt(3.0), rel=0.1)
    assert not torch.equal(drawn.weights[0][0], drawn.weights[0][1])


def test_dropout_leaves_the_expected_log_std(networks) -> None:
    one_layer = StackedNetworks.draw(1, (4, 50, 4), torch.Generator().manual_seed(1))
    state = torch.ones(1, 4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        dropped = one_layer(state.expand(20_000, 4), dropout=0.3)[1][0]
    assert dropped.std(0).min() > 0.01
    torch.testing.assert_close(dropped.mean(0), one_layer(state)[1][0, 0], rtol=0, atol=0.01)


def test_likelihood_and_entropy_are_those_of_torch(networks, batch) -> None:
    mean, log_std = networks(batch.states)
    normal = Independent(Normal(mean, log_std.exp()), 1)
    torch.testing.assert_close(
        gaussian_nll(batch.actions, mean, log_std), -normal.log_prob(batch.actions)
    )
    torch.testing.assert_close(gaussian_entropy(log_std), normal.entropy())


def test_mixture_moments_are_those_of_torchs_mixture(networks, batch) -> None:
    mean, log_std = networks(batch.states)
    components = Normal(mean.permute(1, 2, 0), log_std.exp().permute(1, 2, 0))
    mixture = MixtureSameFamily(Categorical(torch.ones(3)), components)
    mixture_mean, mixture_std = mixture_moments(mean, log_std)
    torch.testing.assert_close(mixture_mean, mixture.mean)
    torch.testing.assert_close(mixture_std, mixture.stddev)


def test_disagreement_adds_to_the_noise_as_a_variance() -> None:
    mean = torch.tensor([0.4, -0.4]).reshape(2, 1, 1)
    log_std = torch.full((2, 1, 1), math.log(0.3))
    mixture_mean, mixture_std = mixture_moments(mean, log_std)
    assert mixture_mean.item() == pytest.approx(0.0)
    assert mixture_std.item() == pytest.approx(0.5, rel=1e-5)
