from __future__ import annotations

import pytest
import torch
from nppac_priors.errors import NumericalError
from nppac_priors.gp.exact import fitting
from nppac_priors.gp.exact.config import ExactGPConfig
from nppac_priors.gp.exact.fitting import fit_hyperparameters, model_log_likelihood
from nppac_priors.gp.exact.training_data import TrainingData
from nppac_priors.gp.model import GPModel

pytestmark = pytest.mark.medium


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def sampled() -> tuple[GPModel, TrainingData]:
    """300 states with actions drawn from a known GP; the third state dimension does not matter."""
    generator = _generator(3)
    states = torch.rand(300, 3, generator=generator) * torch.tensor([10.0, 0.1, 1.0])
    truth = GPModel("matern32", 3, 2, 1)
    with torch.no_grad():
        truth.covar_module.data_covar_module.lengthscale = torch.tensor([4.0, 0.03, 1e3])
        task = truth.covar_module.task_covar_module
        task.covar_factor.copy_(torch.tensor([[0.25], [-0.2]]))
        task.var = torch.tensor([0.005, 0.01]).double()
        truth.likelihood.task_noises = torch.tensor([0.001, 0.004]).double()
        truth.likelihood.noise = 2e-4
        k = truth.data_covariance(states.double()) + 1e-9 * torch.eye(300)
        noise = truth.noise_variance.sqrt() * torch.randn(300, 2, generator=generator)
        draw = torch.randn(300, 2, generator=generator).double()
        latent = torch.linalg.cholesky(k) @ draw @ torch.linalg.cholesky(truth.task_covariance).T
    return truth, TrainingData.check(states, (latent + noise).clamp(-1, 1), torch.ones(len(states)))


def test_recovers_the_hyperparameters_that_made_the_data(sampled) -> None:
    truth, data = sampled
    config = ExactGPConfig(kernel="matern32", task_covariance="icm", steps=150, subset_size=150)
    fitted, true = fit_hyperparameters(config, data, _generator(), None), truth.hyperparameters()
    ratio = (fitted.lengthscale / true.lengthscale)[:2]
    assert ((ratio > 0.5) & (ratio < 2.0)).all()
    relative = fitted.lengthscale / data.states.std(0)
    assert relative[2] > 3.0 * relative[:2].max()
    noise = fitted.noise_variance / true.noise_variance
    assert ((noise > 0.6) & (noise < 1.6)).all()
    correlation = torch.corrcoef(fitted.task_covariance)[0, 1]
    assert correlation < -0.5


def test_the_units_of_the_states_do_not_matter(sampled) -> None:
    _, data = sampled
    scale = torch.tensor([1e3, 1e-3, 2.0])
    config = ExactGPConfig(steps=20, subset_size=50)
    plain = fit_hyperparameters(config, data, _generator(), None)
    rescaled = TrainingData(data.states * scale, data.actions, data.weights)
    other = fit_hyperparameters(config, rescaled, _generator(), None)
    torch.testing.assert_close(other.lengthscale, plain.lengthscale * scale, rtol=1e-3, atol=0)
    torch.testing.assert_close(other.noise_variance, plain.noise_variance, rtol=1e-3, atol=0)


def test_the_generator_decides_the_result(sampled) -> None:
    _, data = sampled
    config = ExactGPConfig(steps=5, subset_size=40)
    torch.manual_seed(1)
    first = fit_hyperparameters(config, data, _generator(7), None)
    torch.manual_seed(2)
    again = fit_hyperparameters(config, data, _generator(7), None)
    other = fit_hyperparameters(config, data, _generator(8), None)
    for a, b in zip(vars(first).values(), vars(again).values(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.lengthscale, other.lengthscale)


def test_full_batch_raises_the_likelihood_of_all_data(sampled) -> None:
    _, data = sampled
    config = ExactGPConfig(steps=30, subset_size=None)
    reports = []
    fit_hyperparameters(config, data, _generator(), reports.append)
    values = [report.values["log_likelihood"] for report in reports]
    assert [report.done for report in reports] == list(range(1, 31))
    assert {report.total for report in reports} == {30}
    assert values[-1] > values[0] + 0.1
    truth, _ = sampled
    best = model_log_likelihood(truth, *(t.double() for t in vars(data).values())).item()
    assert values[-1] < best + 0.1


def test_a_non_finite_likelihood_stops_the_fit(sampled, monkeypatch) -> None:
    _, data = sampled
    broken = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(fitting, "model_log_likelihood", lambda *_: broken)
    with pytest.raises(NumericalError, match=r"step 1 .*learning_rate"):
        fit_hyperparameters(ExactGPConfig(steps=3), data, _generator(), None)
