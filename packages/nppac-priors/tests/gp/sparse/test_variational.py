from __future__ import annotations

import pytest
import torch
from nppac_priors.errors import NumericalError
from nppac_priors.gp.sparse.features import Features
from nppac_priors.gp.sparse.variational import InducingPosterior, Statistics


def _parts(problem):
    data = problem.data
    return problem.model, data.states.double(), data.actions.double(), data.weights.double()


@torch.no_grad()
def test_features_explain_all_of_the_variance_at_the_inducing_points(draw) -> None:
    model, x, *_ = _parts(draw("matern32", 20, 3, 2, 0))
    values = Features.of(model, x[:10], x).values
    covariance = model.data_covariance(x[:10])
    torch.testing.assert_close(values[:10] @ values[:10].T, covariance, rtol=0, atol=1e-6)
    assert (values.square().sum(1) <= 1.0 + 1e-6).all()


def test_extreme_parameters_are_a_typed_error(draw) -> None:
    model, x, *_ = _parts(draw("matern32", 20, 3, 2, 0))
    with torch.no_grad():
        model.covar_module.data_covar_module.raw_lengthscale.fill_(torch.nan)
    with pytest.raises(NumericalError, match="20 inducing points"):
        Features.of(model, x, x)


@torch.no_grad()
def test_the_optimal_posterior_has_the_precision_of_bayes_rule(draw) -> None:
    model, x, y, weights = _parts(draw("matern32", 15, 3, 2, 1))
    features = Features.of(model, x[:5], x)
    posterior = InducingPosterior.optimal(model, Statistics(features, y, weights, 15))
    b, d, a = model.task_covariance, model.noise_variance, features.values
    precision = torch.kron(torch.eye(5).double(), torch.linalg.inv(b).contiguous())
    precision += torch.kron(a.T @ a, d.reciprocal().diag())
    linear = (a.T @ ((y - model.mean) / d)).reshape(-1)
    covariance = torch.linalg.inv(precision)
    expected = (covariance @ linear).reshape(5, 2)
    torch.testing.assert_close(posterior.mean, expected, rtol=0, atol=1e-9)
    basis = torch.kron(posterior.vectors.contiguous(), posterior.mixing.contiguous())
    ours = (basis * posterior.variance.reshape(-1)) @ basis.T
    torch.testing.assert_close(ours, covariance, rtol=0, atol=1e-9)


@torch.no_grad()
def test_without_information_the_posterior_is_the_prior(draw) -> None:
    model, x, y, weights = _parts(draw("rbf", 15, 3, 2, 1))
    features = Features.of(model, x[:5], x)
    posterior = InducingPosterior.optimal(model, Statistics(features, y, 0.0 * weights, 15))
    assert posterior.kl_divergence() == pytest.approx(0.0, abs=1e-12)
    spread = posterior.explained_variance(torch.eye(5).double())
    torch.testing.assert_close(spread, model.task_covariance.diagonal().expand(5, 2))


@torch.no_grad()
def test_steps_average_minibatches_scaled_to_all_data(draw) -> None:
    model, x, y, weights = _parts(draw("matern32", 20, 3, 2, 0))
    halves = [Features.of(model, x[:5], x[part]) for part in (slice(0, 10), slice(10, 20))]
    both = Statistics(Features.of(model, x[:5], x), y, weights, 20)
    moved = Statistics(halves[0], y[:10], weights[:10], 20)
    moved.move(halves[1], y[10:], weights[10:], 0.5)
    torch.testing.assert_close(moved.outer, both.outer)
    torch.testing.assert_close(moved.targets, both.targets)


@torch.no_grad()
def test_statistics_follow_the_kernel_where_inducing_points_are_the_data(draw) -> None:
    """There k(Z, Z)^-1 k(Z, s) does not depend on the kernel, and following is exact."""
    model, x, y, weights = _parts(draw("matern32", 12, 3, 2, 0))
    statistics = Statistics(Features.of(model, x, x), y, weights, 12)
    model.covar_module.data_covar_module.lengthscale *= 1.7
    features = Features.of(model, x, x)
    statistics.follow(features.factor)
    expected = Statistics(features, y, weights, 12)
    torch.testing.assert_close(statistics.outer, expected.outer, rtol=0, atol=1e-5)
    torch.testing.assert_close(statistics.targets, expected.targets, rtol=0, atol=1e-5)
