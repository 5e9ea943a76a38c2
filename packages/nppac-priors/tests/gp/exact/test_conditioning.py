from __future__ import annotations

import gpytorch
import pytest
import torch
from gpytorch.distributions import MultitaskMultivariateNormal
from nppac_priors.gp.exact.conditioning import condition, decompose
from nppac_priors.gp.exact.config import ExactGPConfig
from nppac_priors.gp.exact.fitting import fit_hyperparameters
from nppac_priors.gp.exact.reference import load_hyperparameters, load_model
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import Hyperparameters
from nppac_priors.gp.predictor import Predictor

KERNELS = ["rbf", "matern12", "matern32", "matern52"]


def predictor(kernel, hyperparameters, data, dtype=torch.float32, tolerance=0.0) -> Predictor:
    decomposition = decompose(kernel, hyperparameters, data)
    factors = condition(decomposition, hyperparameters, data, tolerance)
    return Predictor(kernel, hyperparameters, data.states, factors, dtype)


def gpytorch_moments(model, states, actions, queries):
    class Reference(gpytorch.models.ExactGP):
        def forward(self, inputs):
            return MultitaskMultivariateNormal(
                model.mean_module(inputs), model.covar_module(inputs)
            )

    reference = Reference(states.double(), actions.double(), model.likelihood).double().eval()
    model.likelihood.eval()
    with torch.no_grad(), gpytorch.settings.fast_computations(False, False, False):
        prediction = model.likelihood(reference(queries.double()))
    return prediction.mean, prediction.variance.sqrt()


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("kernel", KERNELS)
def test_float32_equals_gpytorch(draw, kernel, rank) -> None:
    problem = draw(kernel, 120, 5, 3, rank)
    mean, std = predictor(kernel, problem.hyperparameters, problem.data).moments(problem.queries)
    expected = gpytorch_moments(
        problem.model, problem.data.states, problem.data.actions, problem.queries
    )
    torch.testing.assert_close(mean.double(), expected[0], rtol=0, atol=1e-4)
    torch.testing.assert_close(std.double(), expected[1], rtol=0, atol=1e-4)


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("kernel", KERNELS)
def test_float64_equals_the_dense_solve(draw, dense_posterior, kernel, rank) -> None:
    problem = draw(kernel, 20, 3, 4, rank)
    x, q = problem.data.states.double(), problem.queries[5:].double()
    with torch.no_grad():
        module = problem.model.covar_module.data_covar_module
        k, k_query = module(x).to_dense(), module(q, x).to_dense()
    expected = dense_posterior(problem.hyperparameters, problem.data, k, k_query)
    got = predictor(kernel, problem.hyperparameters, problem.data, torch.float64).moments(q)
    torch.testing.assert_close(got[0], expected[0], rtol=0, atol=1e-8)
    torch.testing.assert_close(got[1], expected[1], rtol=0, atol=1e-8)


def test_weights_divide_the_noise(draw, dense_posterior) -> None:
    problem = draw("matern32", 12, 2, 3, 1)
    weights = torch.linspace(0.2, 3.0, 12)
    data = TrainingData(problem.data.states, problem.data.actions, weights)
    x, q = data.states.double(), problem.queries.double()
    with torch.no_grad():
        module = problem.model.covar_module.data_covar_module
        k, k_query = module(x).to_dense(), module(q, x).to_dense()
    expected = dense_posterior(problem.hyperparameters, data, k, k_query)
    got = predictor("matern32", problem.hyperparameters, data, torch.float64).moments(q)
    torch.testing.assert_close(got[0], expected[0], rtol=0, atol=1e-8)
    torch.testing.assert_close(got[1], expected[1], rtol=0, atol=1e-8)


def test_diagonal_task_covariance_is_independent_gps(draw) -> None:
    problem = draw("matern52", 40, 3, 3, 0)
    hyper, data = problem.hyperparameters, problem.data
    mean, std = predictor("matern52", hyper, data, torch.float64).moments(problem.queries.double())
    for i in range(3):
        one = Hyperparameters(
            hyper.lengthscale,
            hyper.task_covariance[i : i + 1, i : i + 1],
            hyper.noise_variance[i : i + 1],
            hyper.mean[i : i + 1],
        )
        alone = TrainingData(data.states, data.actions[:, i : i + 1], data.weights)
        expected = predictor("matern52", one, alone, torch.float64).moments(
            problem.queries.double()
        )
        torch.testing.assert_close(mean[:, i : i + 1], expected[0], rtol=0, atol=1e-10)
        torch.testing.assert_close(std[:, i : i + 1], expected[1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kernel", ["matern12", "matern32", "matern52"])
def test_without_noise_it_interpolates(draw, kernel) -> None:
    problem = draw(kernel, 30, 3, 2, 1)
    hyper = problem.hyperparameters
    quiet = Hyperparameters(
        hyper.lengthscale, hyper.task_covariance, torch.full((2,), 1e-14).double(), hyper.mean
    )
    states = problem.data.states.double()
    mean, std = predictor(kernel, quiet, problem.data, torch.float64).moments(states)
    torch.testing.assert_close(mean, problem.data.actions.double(), rtol=0, atol=1e-6)
    assert std.max() < 1e-3


@pytest.mark.parametrize("kernel", KERNELS)
def test_far_from_the_data_it_is_the_prior(draw, kernel) -> None:
    problem = draw(kernel, 30, 3, 2, 1)
    hyper = problem.hyperparameters
    far = torch.tensor([[1e30] * 3, [-1e30] * 3, [3e38] * 3, [1e6, -1e6, 1e6]])
    mean, std = predictor(kernel, hyper, problem.data).moments(far)
    prior_std = (hyper.task_covariance.diagonal() + hyper.noise_variance).sqrt().float()
    torch.testing.assert_close(mean, hyper.mean.float().expand(4, 2))
    torch.testing.assert_close(std, prior_std.expand(4, 2))


@pytest.mark.parametrize("kernel", KERNELS)
def test_std_lies_between_noise_and_prior(draw, kernel) -> None:
    problem = draw(kernel, 200, 3, 4, 1)
    hyper = problem.hyperparameters
    _, std = predictor(kernel, hyper, problem.data).moments(problem.queries)
    noise = hyper.noise_variance.sqrt().float()
    prior_std = (hyper.task_covariance.diagonal() + hyper.noise_variance).sqrt().float()
    assert (std >= noise * (1 - 1e-6)).all()
    assert (std <= prior_std * (1 + 1e-6)).all()


def test_std_never_grows_with_a_point(draw) -> None:
    problem = draw("matern32", 40, 3, 3, 1)
    data, previous = problem.data, None
    for n in (1, 2, 10, 39, 40):
        part = TrainingData(data.states[:n], data.actions[:n], data.weights[:n])
        gp = predictor("matern32", problem.hyperparameters, part, torch.float64)
        _, std = gp.moments(problem.queries.double())
        assert previous is None or (std <= previous + 1e-12).all()
        previous = std


def test_duplicated_states_are_fine(draw) -> None:
    problem = draw("rbf", 30, 3, 2, 1)
    data = problem.data
    twice = TrainingData(
        data.states.repeat(2, 1), data.actions.repeat(2, 1), torch.full((60,), 0.5)
    )
    expected = predictor("rbf", problem.hyperparameters, data).moments(problem.queries)
    got = predictor("rbf", problem.hyperparameters, twice).moments(problem.queries)
    torch.testing.assert_close(got[0], expected[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(got[1], expected[1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("tolerance", [1e-3, 0.1])
@pytest.mark.parametrize("kernel", ["rbf", "matern52"])
def test_dropping_modes_keeps_its_bound(draw, kernel, tolerance) -> None:
    problem = draw(kernel, 300, 2, 3, 1)
    hyper = problem.hyperparameters
    full = predictor(kernel, hyper, problem.data, torch.float64)
    cut = predictor(kernel, hyper, problem.data, torch.float64, tolerance)
    assert cut.factors.modes.shape[1] < full.factors.modes.shape[1]
    queries = torch.cat((problem.queries, problem.data.states))
    mean, std = full.moments(queries)
    cut_mean, cut_std = cut.moments(queries)
    change = (cut_std.square() - std.square()) / hyper.noise_variance
    torch.testing.assert_close(cut_mean, mean)
    assert change.max() <= tolerance
    assert change.min() >= -1e-9


def test_one_point_has_the_scalar_closed_form(draw) -> None:
    problem = draw("matern12", 1, 2, 1, 0)
    hyper = problem.hyperparameters
    mean, std = predictor("matern12", hyper, problem.data, torch.float64).moments(
        problem.queries.double()
    )
    x, y = problem.data.states.double(), problem.data.actions.double()
    k = torch.exp(-((problem.queries.double() - x) / hyper.lengthscale).norm(dim=1, keepdim=True))
    b, d = hyper.task_covariance, hyper.noise_variance
    torch.testing.assert_close(mean, hyper.mean + k * b / (b + d) * (y - hyper.mean))
    torch.testing.assert_close(std, (b - (k * b) ** 2 / (b + d) + d).sqrt())


def test_batches_are_independent_of_their_size(draw, monkeypatch) -> None:
    problem = draw("matern32", 50, 3, 2, 1)
    queries = problem.queries.double()
    gp = predictor("matern32", problem.hyperparameters, problem.data, torch.float64)
    mean, std = gp.moments(queries)
    monkeypatch.setattr("nppac_priors.gp.predictor._CACHED", 100)
    monkeypatch.setattr("nppac_priors.gp.predictor._IN_FLIGHT", 300)
    gp = predictor("matern32", problem.hyperparameters, problem.data, torch.float64)
    torch.testing.assert_close(gp.mean(queries), mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(gp.moments(queries)[1], std, rtol=0, atol=1e-12)


def test_no_states_give_no_actions(draw) -> None:
    problem = draw("rbf", 5, 3, 2, 1)
    gp = predictor("rbf", problem.hyperparameters, problem.data)
    assert gp.mean(torch.zeros(0, 3)).shape == (0, 2)
    assert gp.moments(torch.zeros(0, 3))[1].shape == (0, 2)


def test_published_gp_equals_gpytorch(published) -> None:
    states, actions = published.states[::120], published.actions[::120]
    s, a = states.shape[1], actions.shape[1]
    model = load_model(published.path, published.kernel, s, a)
    data = TrainingData.check(states, actions, torch.ones(len(states)))
    queries = published.states[60::600]
    mean, std = predictor(published.kernel, model.hyperparameters(), data).moments(queries)
    expected = gpytorch_moments(model, states, actions, queries)
    torch.testing.assert_close(mean.double(), expected[0], rtol=0, atol=1e-4)
    torch.testing.assert_close(std.double(), expected[1], rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["published", "fitted"])
def test_float32_equals_float64_at_full_size(published, source) -> None:
    data = TrainingData.check(
        published.states, published.actions, torch.ones(len(published.states))
    )
    config = ExactGPConfig(kernel=published.kernel)
    if source == "published":
        s, a = published.states.shape[1], published.actions.shape[1]
        hyper = load_hyperparameters(published.path, published.kernel, s, a)
    else:
        hyper = fit_hyperparameters(config, data, torch.Generator().manual_seed(0), None)
    decomposition = decompose(published.kernel, hyper, data)
    factors = condition(decomposition, hyper, data, config.variance_tolerance)
    single = Predictor(published.kernel, hyper, data.states, factors)
    double = Predictor(published.kernel, hyper, data.states, factors, torch.float64)
    generator = torch.Generator().manual_seed(0)
    on = data.states[::200]
    noise = torch.randn(on.shape, generator=generator) * data.states.std(0)
    for queries in (on, on + 1e-3 * noise, on + 0.1 * noise, on + noise, on * 0 + 1e30):
        mean, std = single.moments(queries)
        expected_mean, expected_std = double.moments(queries.double())
        torch.testing.assert_close(std.double(), expected_std, rtol=1e-3, atol=0)
        torch.testing.assert_close(mean.double(), expected_mean, rtol=0, atol=1e-6)
    prior_std = (hyper.task_covariance.diagonal() + hyper.noise_variance).sqrt()
    torch.testing.assert_close(std[0].double(), prior_std, rtol=1e-6, atol=0)
