import torch
from nppac_agents.parts.distributions import (
    DiagonalGaussian,
    SquashedGaussian,
    gaussian_log_prob,
)
from torch.distributions import (
    Independent,
    Normal,
    TanhTransform,
    TransformedDistribution,
)

MEAN = torch.tensor([[0.3, -0.7], [1.5, 0.0]], dtype=torch.float64)
STD = torch.tensor([[0.1, 0.5], [0.9, 0.02]], dtype=torch.float64)


def squashed_by_torch() -> Independent:
    return Independent(TransformedDistribution(Normal(MEAN, STD), [TanhTransform()]), 1)


def test_gaussian_density_is_that_of_torch(generator):
    actions = torch.randn(2, 2, generator=generator, dtype=torch.float64)
    expected = Independent(Normal(MEAN, STD), 1).log_prob(actions)
    torch.testing.assert_close(gaussian_log_prob(actions, MEAN, STD), expected)


def test_samples_carry_their_own_density(generator):
    actions, log_prob = DiagonalGaussian(MEAN, STD).sample(generator)
    torch.testing.assert_close(log_prob, gaussian_log_prob(actions, MEAN, STD))


def test_squashed_density_is_that_of_the_transformed_distribution(generator):
    actions, log_prob = SquashedGaussian(MEAN, STD).sample(generator)
    torch.testing.assert_close(log_prob, squashed_by_torch().log_prob(actions))
    assert actions.abs().max() < 1


def test_the_squashed_density_of_given_actions_is_that_of_the_transformed_distribution():
    actions = torch.tensor([[0.9, -0.2], [-0.999, 0.05]], dtype=torch.float64)
    got = SquashedGaussian(MEAN, STD).log_prob(actions)
    torch.testing.assert_close(got, squashed_by_torch().log_prob(actions))


def test_a_squashed_action_on_the_edge_is_taken_just_inside():
    edge = torch.tensor([[1.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    density = SquashedGaussian(MEAN, STD).log_prob(edge)
    inside = edge.clamp(-1 + 1e-5, 1 - 1e-5)
    torch.testing.assert_close(density, squashed_by_torch().log_prob(inside))


def test_sample_moments_use_std_and_not_variance(generator):
    wide = DiagonalGaussian(MEAN[:1].expand(200_000, 2), STD[:1].expand(200_000, 2))
    actions, _ = wide.sample(generator)
    torch.testing.assert_close(actions.std(0), STD[0], rtol=0.01, atol=0)
    torch.testing.assert_close(actions.mean(0), MEAN[0], rtol=0, atol=0.01)


def test_modes():
    assert torch.equal(DiagonalGaussian(MEAN, STD).mode(), MEAN)
    assert torch.equal(SquashedGaussian(MEAN, STD).mode(), MEAN.tanh())


def test_gradients_reach_mean_and_std(generator):
    mean, std = MEAN.clone().requires_grad_(), STD.clone().requires_grad_()
    actions, log_prob = SquashedGaussian(mean, std).sample(generator)
    (actions.sum() + log_prob.sum()).backward()
    assert mean.grad.abs().sum() > 0
    assert std.grad.abs().sum() > 0


def test_repeated_it_draws_several_actions_for_each_state(generator):
    for one in (DiagonalGaussian(MEAN, STD), SquashedGaussian(MEAN, STD)):
        actions, log_prob = one.repeated(3).sample(generator)
        assert actions.shape == (3, 2, 2)
        assert len(actions.unique()) == 12
        expected = torch.stack([one.log_prob(action) for action in actions])
        torch.testing.assert_close(log_prob, expected)
