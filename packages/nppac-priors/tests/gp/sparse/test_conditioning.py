"""Where the inducing points are the data, the sparse posterior is the exact one."""

from __future__ import annotations

import gpytorch
import pytest
import torch
from nppac_priors.demonstration_rows import DemonstrationRows
from nppac_priors.gp.exact.conditioning import condition as condition_exactly
from nppac_priors.gp.exact.conditioning import decompose
from nppac_priors.gp.predictor import Predictor
from nppac_priors.gp.sparse.conditioning import condition

KERNELS = ["rbf", "matern12", "matern32", "matern52"]


def _predictor(problem, inducing: torch.Tensor, weights: torch.Tensor | None = None) -> Predictor:
    data, hyper = problem.data, problem.hyperparameters
    rows = DemonstrationRows(data.states, data.actions)
    weights = data.weights if weights is None else weights
    factors = condition(problem.kernel, hyper, inducing.double(), rows, weights)
    return Predictor(problem.kernel, hyper, inducing, factors, torch.float64)


def _kernel_matrices(problem, *states: torch.Tensor) -> list[torch.Tensor]:
    """K(x, x) of the data and K(s, x) of further states, by GPyTorch."""
    module, x = problem.model.covar_module.data_covar_module, problem.data.states.double()
    with torch.no_grad():
        return [module(s.double(), x).to_dense() for s in (problem.data.states, *states)]


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("kernel", KERNELS)
def test_inducing_points_at_the_data_give_the_dense_solve(
    draw, dense_posterior, kernel, rank
) -> None:
    problem = draw(kernel, 20, 3, 4, rank)
    queries = problem.queries[5:]
    expected = dense_posterior(
        problem.hyperparameters, problem.data, *_kernel_matrices(problem, queries)
    )
    got = _predictor(problem, problem.data.states).moments(queries.double())
    torch.testing.assert_close(got[0], expected[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(got[1], expected[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kernel", ["rbf", "matern12", "matern32"])
def test_inducing_points_at_the_data_give_the_exact_prior(draw, kernel) -> None:
    problem = draw(kernel, 150, 4, 3, 1)
    hyper, data = problem.hyperparameters, problem.data
    factors = condition_exactly(decompose(kernel, hyper, data), hyper, data)
    exact = Predictor(kernel, hyper, data.states, factors, torch.float64)
    got = _predictor(problem, data.states).moments(problem.queries.double())
    for ours, theirs in zip(got, exact.moments(problem.queries.double()), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_weights_divide_the_noise(draw, dense_posterior, monkeypatch) -> None:
    """Whatever block of rows they are read with."""
    monkeypatch.setattr("nppac_priors.demonstration_rows.BLOCK", 5)
    problem = draw("matern32", 12, 2, 3, 1)
    weights = torch.linspace(0.2, 3.0, 12)
    data = type(problem.data)(problem.data.states, problem.data.actions, weights)
    k, k_query = _kernel_matrices(problem, problem.queries)
    expected = dense_posterior(problem.hyperparameters, data, k, k_query)
    got = _predictor(problem, data.states, weights).moments(problem.queries.double())
    torch.testing.assert_close(got[0], expected[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(got[1], expected[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kernel", ["rbf", "matern52"])
def test_fewer_points_give_gpytorchs_sparse_regression(draw, kernel) -> None:
    """One output against `gpytorch.kernels.InducingPointKernel`, whose posterior is Titsias'."""
    problem = draw(kernel, 60, 2, 1, 0)
    hyper, data, inducing = problem.hyperparameters, problem.data, problem.data.states[::6]
    likelihood = gpytorch.likelihoods.GaussianLikelihood().double()
    likelihood.noise = hyper.noise_variance

    class Reference(gpytorch.models.ExactGP):
        def __init__(self) -> None:
            super().__init__(data.states.double(), data.actions.double().squeeze(1), likelihood)
            self.mean_module = gpytorch.means.ConstantMean()
            self.mean_module.constant.data.fill_(hyper.mean.item())
            base = gpytorch.kernels.ScaleKernel(problem.model.covar_module.data_covar_module)
            base.raw_outputscale.data = base.raw_outputscale.data.double()
            base.outputscale = hyper.task_covariance.squeeze()
            self.covar_module = gpytorch.kernels.InducingPointKernel(
                base, inducing_points=inducing.double(), likelihood=likelihood
            )

        def forward(self, inputs):
            return gpytorch.distributions.MultivariateNormal(
                self.mean_module(inputs), self.covar_module(inputs)
            )

    reference = Reference().double().eval()
    with (
        torch.no_grad(),
        gpytorch.settings.sgpr_diagonal_correction(False),
        gpytorch.settings.fast_computations(False, False, False),
        gpytorch.settings.cholesky_jitter(double_value=1e-10),
    ):
        expected = reference(problem.queries.double()).mean
    mean, _ = _predictor(problem, inducing).moments(problem.queries.double())
    torch.testing.assert_close(mean.squeeze(1), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_few_points_solve_titsias_equations(draw, kernel) -> None:
    """Mean and std against the textbook formulas with dense inverses, actions stacked."""
    problem = draw(kernel, 30, 2, 3, 1)
    hyper, data = problem.hyperparameters, problem.data
    z, q = data.states[::5].double() + 0.1, problem.queries[5:].double()
    module, a = problem.model.covar_module.data_covar_module, 3
    with torch.no_grad():
        kzz, kzx = module(z).to_dense(), module(z, data.states.double()).to_dense()
        kqz = module(q, z).to_dense()
    b, d = hyper.task_covariance, hyper.noise_variance
    inverse_noise = torch.kron(torch.eye(30).double(), d.reciprocal().diag())
    prior, cross, query = torch.kron(kzz, b), torch.kron(kzx, b), torch.kron(kqz, b)
    inner = torch.linalg.inv(prior + cross @ inverse_noise @ cross.T)
    residual = (data.actions.double() - hyper.mean).reshape(-1)
    mean = hyper.mean + (query @ inner @ cross @ inverse_noise @ residual).reshape(-1, a)
    explained = query @ (torch.linalg.inv(prior) - inner) @ query.T
    variance = b.diagonal() - explained.diagonal().reshape(-1, a) + d
    got = _predictor(problem, z).moments(q)
    torch.testing.assert_close(got[0], mean, rtol=0, atol=1e-6)
    torch.testing.assert_close(got[1], variance.sqrt(), rtol=0, atol=1e-6)


def test_coinciding_inducing_points_count_once(draw) -> None:
    problem = draw("matern32", 40, 3, 2, 1)
    once = problem.data.states[::4]
    expected = _predictor(problem, once).moments(problem.queries.double())
    got = _predictor(problem, torch.cat((once, once, once + 1e-9))).moments(
        problem.queries.double()
    )
    torch.testing.assert_close(got[0], expected[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(got[1], expected[1], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_far_from_the_data_it_is_the_prior(draw, kernel) -> None:
    problem = draw(kernel, 30, 3, 2, 1)
    hyper = problem.hyperparameters
    far = torch.tensor([[1e30] * 3, [3e38, -3e38, 0.0], [1e6, -1e6, 1e6]]).double()
    mean, std = _predictor(problem, problem.data.states[::3]).moments(far)
    prior_std = (hyper.task_covariance.diagonal() + hyper.noise_variance).sqrt()
    torch.testing.assert_close(mean, hyper.mean.expand(3, 2))
    torch.testing.assert_close(std, prior_std.expand(3, 2))


def test_std_lies_between_noise_and_prior(draw) -> None:
    problem = draw("matern32", 200, 3, 4, 1)
    hyper = problem.hyperparameters
    noise = hyper.noise_variance.sqrt()
    prior_std = (hyper.task_covariance.diagonal() + hyper.noise_variance).sqrt()
    for count in (1, 10, 50):
        _, std = _predictor(problem, problem.data.states[:count]).moments(problem.queries.double())
        assert (std >= noise * (1 - 1e-6)).all()
        assert (std <= prior_std * (1 + 1e-6)).all()
