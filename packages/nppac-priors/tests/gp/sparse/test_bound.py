"""The bound and its gradient at the optimal q are those of Titsias' collapsed bound."""

from __future__ import annotations

import pytest
import torch
from nppac_priors.gp.sparse.bound import Bound, predictive_nll
from nppac_priors.gp.sparse.features import Features
from nppac_priors.gp.sparse.variational import InducingPosterior, Statistics


def _parts(problem, weights=None):
    data = problem.data
    x, y = data.states.double(), data.actions.double()
    inducing = (x[::4] + 0.1).requires_grad_()
    weights = torch.ones(len(x)).double() if weights is None else weights
    return problem.model, inducing, x, y, weights


def _bound(model, inducing, x, y, weights) -> torch.Tensor:
    """The bound over all of the data at its own optimal q."""
    features = Features.of(model, inducing, x)
    posterior = InducingPosterior.optimal(model, Statistics(features, y, weights, len(x)))
    terms = Bound(model, posterior, features)
    return terms.expected_log_likelihood(y, weights) * y.numel() - terms.divergence()


def _collapsed(model, inducing, x, y, weights) -> torch.Tensor:
    """log N(y; m, Q (x) B + W^-1 (x) D) minus half the trace term, dense (Titsias 2009, eq. 9)."""
    kernel = model.covar_module.data_covar_module
    kzz, kzx = kernel(inducing).to_dense(), kernel(inducing, x).to_dense()
    kzz = kzz + 1e-8 * torch.eye(len(kzz)).double()
    q = kzx.T @ torch.linalg.solve(kzz, kzx)
    b, d = model.task_covariance, model.noise_variance
    covariance = torch.kron(q, b) + torch.kron(weights.reciprocal().diag(), d.diag())
    mean = model.mean.repeat(len(x))
    fit = torch.distributions.MultivariateNormal(mean, covariance).log_prob(y.reshape(-1))
    missing = weights * (1.0 - q.diagonal())
    return fit - 0.5 * missing.sum() * (b.diagonal() / d).sum()


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("kernel", ["rbf", "matern12", "matern32", "matern52"])
def test_value_and_gradient_equal_the_collapsed_bound(draw, kernel, rank) -> None:
    parts = _parts(draw(kernel, 24, 3, 3, rank))
    model, inducing = parts[:2]
    value, expected = _bound(*parts), _collapsed(*parts)
    assert value.item() == pytest.approx(expected.item(), rel=1e-8)
    variables = [inducing, *model.parameters()]
    ours, theirs = (torch.autograd.grad(v, variables, allow_unused=True) for v in (value, expected))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5)


def test_weights_divide_the_noise(draw) -> None:
    weights = torch.linspace(0.2, 3.0, 24).double()
    parts = _parts(draw("matern32", 24, 3, 3, 1), weights)
    value, expected = _bound(*parts), _collapsed(*parts)
    assert value.item() == pytest.approx(expected.item(), rel=1e-8)


def test_any_other_posterior_has_a_lower_bound(draw) -> None:
    model, inducing, x, y, weights = _parts(draw("matern32", 24, 3, 3, 1))
    best = _bound(model, inducing, x, y, weights).item()
    features = Features.of(model, inducing, x)
    for part in (slice(0, 12), slice(6, 24)):
        some = Features(features.values[part], features.factor)
        statistics = Statistics(some, y[part], weights[part], 24)
        terms = Bound(model, InducingPosterior.optimal(model, statistics), features)
        value = terms.expected_log_likelihood(y, weights) * y.numel() - terms.divergence()
        assert value.item() < best


def test_predictions_are_the_dense_posterior_where_inducing_points_are_the_data(
    draw, dense_posterior
) -> None:
    problem = draw("matern32", 20, 3, 4, 1)
    model, _, x, y, weights = _parts(problem)
    queries = problem.queries[5:].double()
    with torch.no_grad():
        module = model.covar_module.data_covar_module
        k, k_query = module(x).to_dense(), module(queries, x).to_dense()
        mean, std = dense_posterior(problem.hyperparameters, problem.data, k, k_query)
        statistics = Statistics(Features.of(model, x, x), y, weights, 20)
        posterior = InducingPosterior.optimal(model, statistics)
        actions = mean + 0.3
        nll = predictive_nll(model, posterior, Features.of(model, x, queries), actions)
    expected = -torch.distributions.Normal(mean, std).log_prob(actions).mean().item()
    assert nll == pytest.approx(expected, rel=1e-5)
