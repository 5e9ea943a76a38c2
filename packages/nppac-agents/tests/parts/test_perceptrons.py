"""Gradients that are written out against autograd's, in float64."""

import copy

import pytest
import torch
from nppac_agents.parts.critics import CriticEnsemble
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.perceptrons import plain
from nppac_agents.parts.standardiser import Standardiser
from torch import nn


@pytest.fixture(params=[False, True], ids=["plain", "layer-norm"])
def ensemble(request, generator):
    found = CriticEnsemble(
        3, 2, (8, 6), n_critics=3, layer_norm=request.param,
        standardiser=Standardiser(3), generator=generator,
    ).double()  # fmt: skip
    for parameter in found.parameters():
        parameter.data.normal_(generator=generator)
    return found


@pytest.fixture
def inputs(generator):
    def inputs(width):
        return torch.randn(7, width, generator=generator, dtype=torch.float64).requires_grad_()

    return inputs


def by_autograd(ensemble, states, actions):
    members = ensemble._members(list(ensemble.parameters()))
    return torch.stack([plain(torch.cat([states, actions], 1), layers) for layers in members])


def gradients(values, of, weights, **options):
    return torch.autograd.grad((values * weights).sum(), of, **options)


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_values_and_gradients_of_critics_are_autograds(ensemble, inputs, generator):
    states, actions = inputs(3), inputs(2)
    weights = torch.randn(3, 7, generator=generator, dtype=torch.float64)
    values, expected = ensemble(states, actions), by_autograd(ensemble, states, actions)
    torch.testing.assert_close(values, expected)
    of = [states, actions, *ensemble.parameters()]
    close(gradients(values, of, weights), gradients(expected, of, weights))
    with torch.no_grad():
        torch.testing.assert_close(ensemble(states, actions), expected)


def test_gradients_of_gradients_are_autograds(ensemble, inputs, generator):
    states, actions = inputs(3), inputs(2)
    weights = torch.randn(3, 7, generator=generator, dtype=torch.float64)

    def twice(values):
        (slope,) = gradients(values, [actions], weights, create_graph=True)
        parameters = [*ensemble.weights[:-1], actions]
        return torch.autograd.grad(slope.pow(3).sum(), parameters)

    close(twice(ensemble(states, actions)), twice(by_autograd(ensemble, states, actions)))


def test_frozen_values_have_the_actions_gradient_and_none_of_the_weights(ensemble, inputs):
    states, actions = inputs(3), inputs(2)
    frozen, values = ensemble(states, actions, frozen=True), ensemble(states, actions)
    assert torch.equal(frozen, values)
    of = [states, actions]
    close(gradients(frozen, of, 1.0, retain_graph=True), gradients(values, of, 1.0))
    found = gradients(frozen, list(ensemble.parameters()), 1.0, allow_unused=True)
    assert all(gradient is None for gradient in found)


def test_one_graph_may_hold_a_network_twice(ensemble, inputs):
    pairs = [(inputs(3), inputs(2)) for _ in range(2)]
    of = list(ensemble.parameters())
    both = sum(ensemble(*pair).square() for pair in pairs)
    expected = sum(by_autograd(ensemble, *pair).square() for pair in pairs)
    close(gradients(both, of, 1.0), gradients(expected, of, 1.0))


@pytest.mark.parametrize("sizes", [(4, 8, 6, 3), (4, 8, 1), (4, 2)])
def test_a_perceptron_is_torchs_own(sizes, inputs, generator):
    network = MLP(sizes, output_bound=1.0, generator=generator).double()
    linears = list(network.layers)
    steps = [step for linear in linears[:-1] for step in (linear, nn.ReLU())]
    reference = nn.Sequential(*steps, linears[-1])
    given = inputs(4)
    of = [given, *network.parameters()]
    torch.testing.assert_close(network(given), reference(given))
    close(gradients(network(given).sin(), of, 1.0), gradients(reference(given).sin(), of, 1.0))
    stacked = given.expand(2, 7, 4)
    torch.testing.assert_close(network(stacked), reference(stacked))


def test_copies_and_replaced_weights_are_computed_with(ensemble, inputs):
    states, actions = inputs(3).detach(), inputs(2).detach()
    before = ensemble(states, actions)
    other = copy.deepcopy(ensemble)
    for parameter in other.parameters():
        parameter.data = torch.zeros_like(parameter)
    assert torch.equal(other(states, actions), torch.zeros(3, 7).double())
    assert torch.equal(ensemble(states, actions), before)
