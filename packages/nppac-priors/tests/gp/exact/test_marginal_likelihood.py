from __future__ import annotations

import gpytorch
import pytest
import torch
from gpytorch.distributions import MultitaskMultivariateNormal
from nppac_priors.gp.exact.fitting import model_log_likelihood
from nppac_priors.gp.exact.marginal_likelihood import log_marginal_likelihood


def _inputs(n: int, a: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    k, w = draw(n, n), draw(a, a)
    return [k @ k.T / n, w @ w.T, draw(a).exp(), draw(n, a)]


def test_equals_a_dense_multivariate_normal() -> None:
    k, b, d, residuals = _inputs(7, 3)
    covariance = torch.kron(k, b) + torch.kron(torch.eye(7, dtype=torch.float64), d.diag())
    dense = torch.distributions.MultivariateNormal(
        torch.zeros_like(residuals).flatten(), covariance
    )
    value = log_marginal_likelihood(k, b, d, residuals)
    assert value.item() == pytest.approx(dense.log_prob(residuals.flatten()).item(), rel=1e-10)


def test_gradient_equals_finite_differences() -> None:
    k, b, d, residuals = (t.requires_grad_() for t in _inputs(6, 3))

    def value(k, b, d, residuals):
        return log_marginal_likelihood((k + k.T) / 2, (b + b.T) / 2, d, residuals)

    assert torch.autograd.gradcheck(value, (k, b, d, residuals))


def test_gradient_with_coinciding_eigenvalues_equals_finite_differences() -> None:
    _, _, d, residuals = _inputs(6, 3)
    k = torch.eye(6, dtype=torch.float64).requires_grad_()
    b = torch.eye(3, dtype=torch.float64).requires_grad_()

    def value(k, b):
        return log_marginal_likelihood((k + k.T) / 2, (b + b.T) / 2, torch.ones_like(d), residuals)

    assert torch.autograd.gradcheck(value, (k, b))


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("kernel", ["rbf", "matern12", "matern32", "matern52"])
def test_value_and_gradient_equal_gpytorch(draw, kernel, rank) -> None:
    problem = draw(kernel, 15, 3, 4, rank)
    model = problem.model
    x, y = problem.data.states.double(), problem.data.actions.double()
    value = model_log_likelihood(model, x, y, problem.data.weights.double())
    ours = torch.autograd.grad(value, list(model.parameters()))

    class Reference(gpytorch.models.ExactGP):
        def forward(self, inputs):
            return MultitaskMultivariateNormal(
                model.mean_module(inputs), model.covar_module(inputs)
            )

    reference = Reference(x, y, model.likelihood)
    criterion = gpytorch.mlls.ExactMarginalLogLikelihood(model.likelihood, reference)
    with gpytorch.settings.fast_computations(False, False, False):
        expected = criterion(reference(x), y)
        theirs = torch.autograd.grad(expected, list(model.parameters()))
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-7)


def test_weight_two_equals_the_observation_twice(draw) -> None:
    problem = draw("matern32", 8, 2, 3, 1)
    x, y = problem.data.states.double(), problem.data.actions.double()
    twice = torch.cat((x, x[:1])), torch.cat((y, y[:1]))
    weights = torch.ones(8, dtype=torch.float64)
    parameters = [problem.model.covar_module.data_covar_module.raw_lengthscale]
    repeated = model_log_likelihood(problem.model, *twice, torch.ones(9, dtype=torch.float64))
    weights[0] = 2.0
    weighted = model_log_likelihood(problem.model, x, y, weights)
    (expected,) = torch.autograd.grad(9 * repeated, parameters)
    (got,) = torch.autograd.grad(8 * weighted, parameters)
    torch.testing.assert_close(got, expected, rtol=1e-7, atol=1e-9)
