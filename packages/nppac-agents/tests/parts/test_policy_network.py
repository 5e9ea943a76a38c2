import math

import pytest
import torch
from nppac_agents.parts.distributions import DiagonalGaussian
from nppac_agents.parts.policy_network import PolicyNetwork
from nppac_agents.parts.standardiser import Standardiser

STATES = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
MEAN = torch.linspace(-0.9, 0.9, 12).reshape(6, 2)
STD = torch.linspace(0.001, 0.01, 12).reshape(6, 2)
PRIOR = DiagonalGaussian(MEAN, STD)


def network(generator, start, squash):
    return PolicyNetwork(
        3,
        2,
        (16, 16),
        start=start,
        squash=squash,
        standardiser=Standardiser(3),
        generator=generator,
    )


def test_untrained_residual_policy_is_the_prior(generator):
    policy = network(generator, "residual", squash=False)(STATES, PRIOR)
    assert torch.equal(policy.mean, MEAN)
    assert torch.equal(policy.std, STD)


def grid() -> tuple[torch.Tensor, torch.Tensor]:
    """Prior means in [-1, 1], dense at the edges, and scales from 0.001 to 0.5, (n, 1) float64."""
    near_the_edge = 1.0 - torch.logspace(-5, -1, 40, dtype=torch.float64)
    means = torch.cat((torch.linspace(0, 1, 41, dtype=torch.float64), near_the_edge))
    scales = torch.logspace(-3, math.log10(0.5), 24, dtype=torch.float64)
    pairs = torch.cartesian_prod(torch.cat((-means, means)), scales)
    return pairs[:, :1], pairs[:, 1:]


def untrained(generator, prior_mean, prior_scale):
    """The squashed residual policy of priors (n, 1), in float64."""
    policy = PolicyNetwork(
        1,
        1,
        (4,),
        start="residual",
        squash=True,
        standardiser=Standardiser(1),
        generator=generator,
    ).double()
    states = torch.zeros(len(prior_mean), 1, dtype=torch.float64)
    return policy(states, DiagonalGaussian(prior_mean, prior_scale))


def normal_log_density(x, mean, std):
    return -0.5 * ((x - mean) / std).square() - std.log() - 0.5 * math.log(2.0 * math.pi)


def test_untrained_squashed_residual_policy_is_near_the_prior_up_to_the_bounds(generator):
    """By quadrature over the normal before the tanh.

    The divergence is of pi, squashed, on (-1, 1), from the prior's normal density as agents
    evaluate it: not cut at +-1, so that it is at least log 2 at the bounds for any policy.
    """
    mean, scale = grid()
    policy = untrained(generator, mean, scale)
    nodes = torch.linspace(-9, 9, 2001, dtype=torch.float64)
    weights = normal_log_density(nodes, torch.zeros(1), torch.ones(1)).exp() * (nodes[1] - nodes[0])
    raw = policy.mean + policy.std * nodes
    log_slope = -2.0 * (torch.logaddexp(raw, -raw) - math.log(2.0))
    log_policy = normal_log_density(raw, policy.mean, policy.std) - log_slope
    divergence = (log_policy - normal_log_density(raw.tanh(), mean, scale)) @ weights
    assert divergence.max() < 0.92
    assert divergence.min() > -1e-9
    executed = raw.tanh() @ weights
    assert ((executed - mean[:, 0]).abs() / scale[:, 0]).max() < 0.9
    assert ((executed - policy.mode()[:, 0]).abs() / scale[:, 0]).max() < 0.3


def test_a_narrow_squashed_start_is_the_prior_to_first_order(generator):
    mean = torch.linspace(-0.9, 0.9, 13, dtype=torch.float64)[:, None]
    scale = torch.full_like(mean, 1e-5)
    policy = untrained(generator, mean, scale)
    torch.testing.assert_close(policy.mode(), mean)
    torch.testing.assert_close(policy.std * (1.0 - mean.square()), scale, rtol=1e-3, atol=0)


def test_a_prior_wider_than_the_action_space_starts_inside_it(generator):
    """Off the data a prior may have a scale of 1 and more, where the nearest policy is uniform."""
    mean = torch.tensor([[-1.2], [-0.3], [0.0], [0.8], [3.0]], dtype=torch.float64)
    for scale in (1.0, 2.0, 50.0):
        policy = untrained(generator, mean, torch.full_like(mean, scale))
        assert policy.mode().abs().max() < 0.4
        assert policy.std.max() <= 1.0
        assert policy.std.min() > 0.6


@pytest.mark.parametrize("squash", [False, True])
def test_a_trained_residual_policy_corrects_mean_and_std_of_its_start(generator, squash):
    """By delta and exp(rho), rho clamped to [-5, 2], in float64."""
    start, trained = (network(generator, "residual", squash).double() for _ in range(2))
    for parameter in trained.parameters():
        parameter.data.normal_(0, 1.0, generator=generator)
    states, given = 3.0 * STATES.double(), DiagonalGaussian(MEAN.double(), STD.double())
    shift, log_ratio = trained.body(states).chunk(2, dim=-1)
    assert log_ratio.min() < -5
    assert log_ratio.max() > 2
    policy, prior = trained(states, given), start(states, given)
    torch.testing.assert_close(policy.mean, prior.mean + shift)
    torch.testing.assert_close(policy.std, prior.std * log_ratio.clamp(-5, 2).exp())


def test_saturated_prior_means_stay_finite(generator):
    extreme = torch.tensor([[1.5, -1.0]] * 6)
    policy = network(generator, "residual", squash=True)(STATES, DiagonalGaussian(extreme, STD))
    actions, log_prob = policy.sample(generator)
    assert torch.isfinite(actions).all()
    assert torch.isfinite(log_prob).all()


@pytest.mark.parametrize("start", ["fresh", "distilled"])
@pytest.mark.parametrize("squash", [False, True])
def test_fresh_policies_do_not_read_the_prior(generator, start, squash):
    policy = network(generator, start, squash)
    assert policy.mode(STATES).abs().max() < 0.2
    std = policy(STATES).std
    torch.testing.assert_close(std, torch.ones_like(std), rtol=0.2, atol=0)


@pytest.mark.parametrize("start", ["fresh", "residual"])
@pytest.mark.parametrize("squash", [False, True])
def test_mode_is_the_distributions_mode(generator, start, squash):
    policy = network(generator, start, squash)
    for parameter in policy.parameters():
        parameter.data.normal_(0, 0.1, generator=generator)
    wide = 30.0 * STD
    if not policy.needs_prior:
        torch.testing.assert_close(policy.mode(STATES), policy(STATES).mode())
        return
    expected = policy(STATES, DiagonalGaussian(MEAN, wide)).mode()
    torch.testing.assert_close(policy.mode(STATES, MEAN, wide), expected)
    if not policy.mode_needs_scale:
        torch.testing.assert_close(policy.mode(STATES, MEAN), expected)


def test_unsquashed_fresh_mean_is_bounded_and_std_clamped(generator):
    policy = network(generator, "fresh", squash=False)
    for parameter in policy.parameters():
        parameter.data.fill_(100.0)
    distribution = policy(STATES.abs())
    assert distribution.mean.abs().max() <= 1.0
    torch.testing.assert_close(distribution.std.max(), torch.tensor(2.0).exp())
