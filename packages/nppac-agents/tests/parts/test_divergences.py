import torch
from nppac_agents.parts.distributions import DiagonalGaussian
from nppac_agents.parts.divergences import analytic_kl, sampled_kl
from torch.distributions import Independent, Normal, kl_divergence


def draw_case(generator):
    def random(shift=0.0):
        return torch.randn(3, 4, generator=generator, dtype=torch.float64) * 0.3 + shift

    return random(), random().exp() * 0.3, random(), random().exp() * 0.3


def test_analytic_kl_is_that_of_torch(generator):
    mean, std, prior_mean, prior_std = draw_case(generator)
    expected = kl_divergence(
        Independent(Normal(mean, std), 1), Independent(Normal(prior_mean, prior_std), 1)
    )
    got = analytic_kl(DiagonalGaussian(mean, std), DiagonalGaussian(prior_mean, prior_std))
    torch.testing.assert_close(got, expected)


def test_sampled_kl_has_the_analytic_kl_as_its_mean(generator):
    mean, std, prior_mean, prior_std = (x[:1].expand(400_000, 4) for x in draw_case(generator))
    policy, prior = DiagonalGaussian(mean, std), DiagonalGaussian(prior_mean, prior_std)
    estimates = sampled_kl(*policy.sample(generator), prior)
    error = estimates.std() / len(estimates) ** 0.5
    assert abs(estimates.mean() - analytic_kl(policy, prior)[0]) < 4 * error


def test_no_divergence_from_itself(generator):
    mean, std, _, _ = draw_case(generator)
    policy = DiagonalGaussian(mean, std)
    assert torch.equal(analytic_kl(policy, policy), torch.zeros(3).double())
    actions, log_prob = policy.sample(generator)
    estimate = sampled_kl(actions, log_prob, policy)
    torch.testing.assert_close(estimate, torch.zeros(3).double(), rtol=0, atol=1e-12)
