import torch
from nppac_priors.cvae.networks import CVAE, kl_to_unit
from torch import nn


def small(seed: int = 0, **options):
    generator = torch.Generator().manual_seed(seed)
    return CVAE(3, 2, 4, (16,), generator=generator, **options).double()


def normal(*shape: int, seed: int = 1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def test_shapes_with_any_number_of_leading_dimensions():
    cvae, states = small(), normal(5, 7, 3)
    mean, std = cvae.encode(states, normal(5, 7, 2))
    assert mean.shape == std.shape == (5, 7, 4)
    assert (std > 0).all()
    decoded = cvae.decode(states, mean)
    assert decoded.shape == (5, 7, 2)
    torch.testing.assert_close(decoded[2], cvae.decode(states[2], mean[2]))


def test_the_divergence_from_the_unit_normal_is_torchs():
    mean, std = normal(6, 4), normal(6, 4, seed=2).exp()
    unit = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(torch.distributions.Normal(mean, std), unit)
    torch.testing.assert_close(kl_to_unit(mean, std), expected)
    assert not kl_to_unit(torch.zeros(3), torch.ones(3)).any()


def test_a_reconstruction_is_the_decoded_latent_through_tanh():
    cvae, states, actions = small(), normal(5, 3), normal(5, 2, seed=2).tanh()
    generator = torch.Generator().manual_seed(4)
    got, divergence = cvae.reconstruct(states, actions, generator)
    mean, std = cvae.encode(states, actions)
    noise = torch.randn(5, 4, generator=generator.manual_seed(4), dtype=torch.float64)
    torch.testing.assert_close(got, cvae.decode(states, mean + std * noise).tanh())
    torch.testing.assert_close(divergence, kl_to_unit(mean, std))


def test_it_learns_to_reconstruct_where_latents_cost_nothing():
    cvae, generator = small(), torch.Generator().manual_seed(4)
    states, actions = normal(64, 3), 0.8 * normal(64, 2, seed=2).tanh()
    optimizer = torch.optim.Adam(cvae.parameters(), lr=1e-2)
    for _ in range(400):
        optimizer.zero_grad()
        (cvae.reconstruct(states, actions, generator)[0] - actions).square().mean().backward()
        optimizer.step()
    error = (cvae.reconstruct(states, actions, generator)[0] - actions).square().mean()
    assert error < 0.02 * actions.var()


def test_weights_come_from_the_generator_and_states_go_through_the_input_layer():
    states, latents = normal(5, 3), normal(5, 4)
    one, same, other = (small(seed).decode(states, latents) for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    halved = nn.Linear(3, 3, bias=False)
    halved.weight.data = 0.5 * torch.eye(3)
    got = small(inputs=halved).decode(states, latents)
    torch.testing.assert_close(got, small().decode(0.5 * states, latents))
