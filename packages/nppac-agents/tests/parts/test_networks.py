import torch
from nppac_agents.parts.critics import CriticEnsemble, Critics
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.standardiser import Standardiser
from torch import nn


def critic(generator, **options):
    settings = {"n_critics": 3, "layer_norm": False, "standardiser": Standardiser(5)} | options
    return CriticEnsemble(5, 2, (16, 8), generator=generator, **settings)


def reference_value(ensemble, member, states, actions):
    """The same critic built from torch's own layers."""
    layers, sizes = [], [(7, 16), (16, 8), (8, 1)]
    for index, (fan_in, fan_out) in enumerate(sizes):
        linear = nn.Linear(fan_in, fan_out)
        linear.weight.data = ensemble.weights[index][member].T.clone()
        linear.bias.data = ensemble.biases[index][member].clone()
        layers.append(linear)
        if index < 2:
            if ensemble.layer_norm:
                norm = nn.LayerNorm(fan_out, dtype=torch.float64)
                norm.weight.data = ensemble.gains[index][member].clone()
                norm.bias.data, linear.bias.data = linear.bias.data, torch.zeros(fan_out).double()
                layers.append(norm)
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)(torch.cat([states, actions], 1)).squeeze(1)


def test_stacked_critics_equal_separate_networks(generator):
    inputs = torch.randn(11, 7, generator=generator, dtype=torch.float64)
    states, actions = inputs[:, :5], inputs[:, 5:]
    for layer_norm in (False, True):
        ensemble = critic(generator, layer_norm=layer_norm).double()
        for parameter in ensemble.parameters():
            parameter.data.normal_(generator=generator)
        values = ensemble(states, actions)
        assert values.shape == (3, 11)
        for member in range(3):
            expected = reference_value(ensemble, member, states, actions)
            torch.testing.assert_close(values[member], expected)


def test_all_at_once_equals_one_after_the_other(generator):
    """The GPU's way of evaluating the critics, on the CPU."""
    inputs = torch.randn(11, 7, generator=generator, dtype=torch.float64)
    for layer_norm in (False, True):
        ensemble = critic(generator, layer_norm=layer_norm).double()
        parameters = list(ensemble.parameters())
        at_once = torch.vmap(ensemble._value, (None, 0))(inputs, parameters)
        torch.testing.assert_close(at_once, ensemble(inputs[:, :5], inputs[:, 5:]))
        grads = torch.autograd.grad(at_once.sum(), parameters)
        expected = torch.autograd.grad(ensemble(inputs[:, :5], inputs[:, 5:]).sum(), parameters)
        for got, want in zip(grads, expected, strict=True):
            torch.testing.assert_close(got, want)


def test_critics_start_different_and_near_zero(generator):
    values = critic(generator)(torch.randn(50, 5), torch.randn(50, 2))
    assert values.abs().max() < 0.5
    assert not torch.allclose(values[0], values[1])


def test_several_actions_for_each_state_have_the_values_of_each(generator):
    ensemble = critic(generator)
    states, actions = torch.randn(11, 5), torch.randn(4, 11, 2)
    values = ensemble(states, actions)
    assert values.shape == (3, 4, 11)
    for several, single in zip(values.unbind(1), actions, strict=True):
        torch.testing.assert_close(several, ensemble(states, single))


def test_a_mix_of_the_slow_critics_lies_between_their_lowest_and_highest(generator):
    part = Critics(critic(generator), 1e-3)
    states, actions = torch.randn(11, 5), torch.randn(11, 2)
    part.net.biases[-1].data.add_(9.0)
    values = part.slow(states, actions)
    low, high = values.min(0).values, values.max(0).values
    torch.testing.assert_close(part.mixed(states, actions, 1.0), low)
    torch.testing.assert_close(part.mixed(states, actions, 0.75), 0.75 * low + 0.25 * high)


def test_mlp_with_zero_output_bound_starts_at_zero_but_learns(generator):
    network = MLP((3, 8, 2), output_bound=0.0, generator=generator)
    inputs = torch.randn(4, 3)
    assert torch.equal(network(inputs), torch.zeros(4, 2))
    network(inputs).sum().backward()
    assert network.layers[-1].weight.grad.abs().sum() > 0


def test_initial_weights_come_from_the_generator():
    def weights(seed):
        return MLP((3, 8, 2), output_bound=1.0, generator=torch.Generator().manual_seed(seed))(
            torch.ones(1, 3)
        )

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_standardiser_centres_scales_clips_and_spares_constant_dimensions():
    states = torch.tensor([[0.0, 5.0], [2.0, 5.0]])
    scaled = Standardiser(2, states)
    torch.testing.assert_close(scaled(states), torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    torch.testing.assert_close(scaled(torch.tensor([[1e9, 5.5]])), torch.tensor([[10.0, 0.5]]))
    assert torch.equal(Standardiser(2)(states), states)
