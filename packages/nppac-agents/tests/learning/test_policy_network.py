import pytest
import torch
from nppac_agents.learning.networks import Standardiser
from nppac_agents.learning.policy_network import PolicyNetwork

STATES = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
MEAN = torch.linspace(-0.9, 0.9, 12).reshape(6, 2)
STD = torch.linspace(0.001, 0.01, 12).reshape(6, 2)


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
    policy = network(generator, "residual", squash=False)(STATES, MEAN, STD)
    assert torch.equal(policy.mean, MEAN)
    assert torch.equal(policy.std, STD)


def test_untrained_squashed_residual_policy_is_the_prior_to_first_order(generator):
    policy = network(generator, "residual", squash=True)
    torch.testing.assert_close(policy.mode(STATES, MEAN), MEAN)
    copies = 20_000
    wide = policy(*(x.repeat_interleave(copies, 0) for x in (STATES, MEAN, STD)))
    actions, _ = wide.sample(generator)
    spread = actions.reshape(6, copies, 2).std(1)
    torch.testing.assert_close(spread, STD, rtol=0.03, atol=0)


@pytest.mark.parametrize("squash", [False, True])
def test_a_trained_residual_policy_corrects_mean_and_std_of_its_start(generator, squash):
    """By delta and exp(rho), rho clamped to [-5, 2], in float64."""
    start, trained = (network(generator, "residual", squash).double() for _ in range(2))
    for parameter in trained.parameters():
        parameter.data.normal_(0, 1.0, generator=generator)
    inputs = 3.0 * STATES.double(), MEAN.double(), STD.double()
    shift, log_ratio = trained.body(inputs[0]).chunk(2, dim=-1)
    assert log_ratio.min() < -5
    assert log_ratio.max() > 2
    policy, prior = trained(*inputs), start(*inputs)
    torch.testing.assert_close(policy.mean, prior.mean + shift)
    torch.testing.assert_close(policy.std, prior.std * log_ratio.clamp(-5, 2).exp())


def test_saturated_prior_means_stay_finite(generator):
    extreme = torch.tensor([[1.5, -1.0]] * 6)
    policy = network(generator, "residual", squash=True)(STATES, extreme, STD)
    actions, log_prob = policy.sample(generator)
    assert torch.isfinite(actions).all()
    assert torch.isfinite(log_prob).all()


@pytest.mark.parametrize("start", ["fresh", "distilled"])
@pytest.mark.parametrize("squash", [False, True])
def test_fresh_policies_do_not_read_the_prior(generator, start, squash):
    policy = network(generator, start, squash)
    assert policy.mode(STATES, None).abs().max() < 0.2
    std = policy(STATES, None, None).std
    torch.testing.assert_close(std, torch.ones_like(std), rtol=0.2, atol=0)


@pytest.mark.parametrize("start", ["fresh", "residual"])
@pytest.mark.parametrize("squash", [False, True])
def test_mode_is_the_distributions_mode(generator, start, squash):
    policy = network(generator, start, squash)
    for parameter in policy.parameters():
        parameter.data.normal_(0, 0.1, generator=generator)
    expected = policy(STATES, MEAN, STD).mode()
    torch.testing.assert_close(policy.mode(STATES, MEAN), expected)


def test_unsquashed_fresh_mean_is_bounded_and_std_clamped(generator):
    policy = network(generator, "fresh", squash=False)
    for parameter in policy.parameters():
        parameter.data.fill_(100.0)
    distribution = policy(STATES.abs(), None, None)
    assert distribution.mean.abs().max() <= 1.0
    torch.testing.assert_close(distribution.std.max(), torch.tensor(2.0).exp())
