import math

import pytest
import torch
from nppac_priors.cvae.ensemble import CVAEEnsemble
from torch.distributions import Independent, Normal, kl_divergence

pytestmark = pytest.mark.medium


def small(members: int = 2, latent_dim: int = 1, bounded: bool = False):
    generator = torch.Generator().manual_seed(0)
    models = CVAEEnsemble.draw(
        members, 3, 2, latent_dim, (16,), bounded=bounded, generator=generator
    ).double()
    for parameter in models.parameters():
        parameter.data.mul_(2.0)
    return models


def normal(*shape: int, seed: int = 1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def one_of(models, member):
    """A model alone."""
    alone = small(1, models.latent_dim, models.bounded)
    pairs = zip(alone.parameters(), models.parameters(), strict=True)
    for own, all_of_them in pairs:
        own.data = all_of_them.data[member : member + 1]
    return alone


def marginal(models, state, action):
    """p(a|s) by a sum over a fine grid of the one latent."""
    grid = torch.linspace(-8, 8, 4001, dtype=torch.float64)[:, None]
    mean, log_std = models.decode(state.expand(1, 4001, 3), grid[None])
    density = Independent(Normal(mean, log_std.exp()), 1).log_prob(action).exp()
    weights = Normal(0.0, 1.0).log_prob(grid[:, 0]).exp() * (16 / 4000)
    return (density * weights).sum(1).mean()


def test_every_model_answers_as_it_does_alone():
    models, states, actions = small(), normal(1, 5, 7, 3), normal(1, 5, 7, 2, seed=2)
    encoded = models.encode(states, actions)
    decoded = models.decode(states, encoded[0])
    assert encoded[0].shape == (2, 5, 7, 1)
    assert decoded[0].shape == (2, 5, 7, 2)
    for member in range(2):
        alone = one_of(models, member)
        for one, other in zip(alone.encode(states, actions), encoded, strict=True):
            torch.testing.assert_close(one[0], other[member])
        for one, other in zip(alone.decode(states, encoded[0][[member]]), decoded, strict=True):
            torch.testing.assert_close(one[0], other[member])
    assert not torch.equal(decoded[0][0], decoded[0][1])


def test_the_lower_bound_by_hand():
    models, states, actions = small(), normal(1, 2, 3), normal(1, 2, 2, seed=2)
    noise = normal(2, 2, 1, seed=3)
    mean, std = models.encode(states, actions)
    decoded, log_std = models.decode(states, mean + std * noise)
    likelihood = Independent(Normal(decoded, log_std.exp()), 1).log_prob(actions)
    divergence = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(models.lower_bound(states, actions, noise), likelihood - divergence)


def test_the_estimated_density_is_the_integral_over_latents():
    """With many latents; with few it is below it on average, by Jensen's inequality."""
    models, states, actions = small(), normal(2, 3), normal(2, 2, seed=2)
    exact = torch.stack(
        [marginal(models, s, a).log() for s, a in zip(states, actions, strict=True)]
    )
    many = models.log_density(states, actions, normal(20_000, 1, 1, seed=3))
    torch.testing.assert_close(many, exact, rtol=0, atol=0.03)
    few = [models.log_density(states, actions, one) for one in normal(2_000, 2, 1, 1, seed=4)]
    assert (torch.stack(few).mean(0) < exact).all()


def test_an_encoder_that_is_much_too_narrow_leaves_no_latent_out():
    models, states, actions = small(), normal(2, 3), normal(2, 2, seed=2)
    models.encoder_biases[-1].data[..., 1:] = -4.0
    exact = torch.stack(
        [marginal(models, s, a).log() for s, a in zip(states, actions, strict=True)]
    )
    many = models.log_density(states, actions, normal(20_000, 1, 1, seed=3))
    torch.testing.assert_close(many, exact, rtol=0, atol=0.05)


def test_a_decoder_that_ignores_its_latent_has_its_own_density():
    """Whatever the encoder: the importance weights' mean is one."""
    models, states, actions = small(1), normal(2, 3), normal(2, 2, seed=2)
    models.decoder_weights[0].data[:, -1:] = 0.0
    mean, log_std = models.decode(states[None], torch.zeros(1, 2, 1).double())
    expected = Independent(Normal(mean[0], log_std[0].exp()), 1).log_prob(actions)
    got = models.log_density(states, actions, normal(20_000, 1, 1, seed=3))
    torch.testing.assert_close(got, expected, rtol=0, atol=0.03)


@pytest.mark.parametrize("bounded", [False, True])
def test_means_are_bounded_where_asked_and_log_stds_always(bounded):
    models = small(bounded=bounded)
    mean, log_std = models.decode(1e3 * normal(1, 50, 3), normal(1, 50, 1))
    assert (mean.abs().max() <= 1.0) == bounded
    assert log_std.min().item() == pytest.approx(-5.0, rel=1e-5)
    assert log_std.max().item() == pytest.approx(2.0, rel=1e-5)


def test_the_density_has_leading_dimensions():
    models, states, actions = small(), normal(2, 3), normal(4, 2, 2, seed=2)
    noise = normal(8, 1, seed=3)
    got = models.log_density(states.expand(4, 2, 3), actions, noise[:, None, None])
    rows = [models.log_density(states, row, noise[:, None]) for row in actions]
    torch.testing.assert_close(got, torch.stack(rows))
    assert math.prod(got.shape) == 8
