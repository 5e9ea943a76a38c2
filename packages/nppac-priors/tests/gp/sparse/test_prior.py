from __future__ import annotations

import numpy as np
import pytest
import torch
from nppac_priors import ExactGPConfig, SparseGPConfig, load_prior, prior_registry
from nppac_priors.data import hash_data
from nppac_priors.errors import ConfigError, DataError, NumericalError
from nppac_priors.gp.sparse import fitting
from pydantic import ValidationError

pytestmark = pytest.mark.medium

SMALL = SparseGPConfig(inducing_points=15, start_steps=5, steps=8, batch_size=32)


@pytest.fixture(scope="module")
def demonstrations() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(60, 3, generator=generator)
    return states, torch.stack((states[:, 0].sin(), states[:, 1].tanh()), dim=1)


@pytest.fixture(scope="module")
def prior(demonstrations):
    return SMALL.fit(*demonstrations)


def test_is_found_by_its_kind() -> None:
    assert prior_registry().get("sparse-gp") is SparseGPConfig


def test_a_known_noise_of_three_tenths_comes_back_as_a_std() -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.rand(1500, 2, generator=generator) * 4 - 2
    noise = 0.3 * torch.randn(1500, 2, generator=generator)
    actions = 0.2 * torch.stack((states[:, 0].sin(), states[:, 1].cos()), dim=1) + noise
    states, actions = (values[(actions.abs() <= 1).all(1)] for values in (states, actions))
    config = SparseGPConfig(inducing_points=30, start_steps=1, steps=80, learning_rate=0.1)
    _, std = config.fit(states, actions).moments(states)
    kept = (actions - 0.2 * torch.stack((states[:, 0].sin(), states[:, 1].cos()), dim=1)).std()
    assert std.mean().item() == pytest.approx(kept.item(), rel=0.05)
    assert std.mean().item() == pytest.approx(0.3, rel=0.07)
    assert std.dtype == torch.float32


def test_predicts_as_well_as_the_exact_gp(demonstrations) -> None:
    states, actions = demonstrations
    generator = torch.Generator().manual_seed(1)
    queries = torch.randn(200, 3, generator=generator)
    expected = torch.stack((queries[:, 0].sin(), queries[:, 1].tanh()), dim=1)

    def nll(config) -> float:
        mean, std = config.fit(states, actions).moments(queries)
        return -torch.distributions.Normal(mean, std).log_prob(expected).mean().item()

    exact = ExactGPConfig(steps=100, learning_rate=0.05)
    sparse = SparseGPConfig(start_steps=30, steps=70, learning_rate=0.05, inducing_points=60)
    assert nll(sparse) < nll(exact) + 0.1


@pytest.mark.parametrize("fields", [{}, {"task_covariance": "icm", "rank": 2}, {"kernel": "rbf"}])
def test_the_bound_rises_and_every_step_is_reported(demonstrations, fields) -> None:
    reports = []
    update = {"start_steps": 3, "steps": 30, "batch_size": 60, "learning_rate": 0.05, **fields}
    config = SMALL.model_copy(update=update)
    config.fit(*demonstrations, progress=reports.append)
    assert [report.done for report in reports if report.stage == "start"] == [1, 2, 3]
    fit = [report for report in reports if report.stage == "fit"]
    assert [(report.done, report.total) for report in fit] == [(i, 30) for i in range(1, 31)]
    assert fit[-1].values["elbo"] > fit[0].values["elbo"] + 0.2
    assert (reports[-1].stage, reports[-1].done, reports[-1].total) == ("condition", 60, 60)


def test_training_stops_when_held_out_episodes_get_worse(demonstrations, monkeypatch) -> None:
    losses = iter([9.0, 3.0, 1.0, 2.0, 2.0, 0.0])
    taken = []

    def nll(self, _indices) -> float:
        taken.append(self.snapshot(0.0).hyperparameters)
        return next(losses)

    monkeypatch.setattr(fitting.Training, "nll", nll)
    config = SMALL.model_copy(update={"steps": 50, "evaluate_every": 5, "patience": 2})
    reports = []
    prior = config.fit(
        *demonstrations, episode_lengths=np.full(6, 10), progress=lambda r: reports.append(r)
    )
    fit = [report for report in reports if report.stage == "fit"]
    assert (fit[-1].done, fit[-1].total) == (20, 20)
    assert [r.values["held_out_nll"] for r in fit if "held_out_nll" in r.values] == [3, 1, 2, 2]
    assert torch.equal(prior.hyperparameters.lengthscale, taken[2].lengthscale)


def test_held_out_episodes_are_not_trained_on_but_conditioned_on(
    demonstrations, monkeypatch
) -> None:
    seen, real = set(), fitting.Training.step

    def step(self, indices, number) -> float:
        seen.update(indices.tolist())
        return real(self, indices, number)

    monkeypatch.setattr(fitting.Training, "step", step)
    config = SMALL.model_copy(update={"held_out_share": 0.5, "batch_size": 5, "steps": 40})
    prior = config.fit(*demonstrations, episode_lengths=[30, 30])
    assert len(seen) > 25
    assert max(seen) < 30 or min(seen) >= 30
    assert prior.data_hash == hash_data(*demonstrations)


def test_memory_mapped_arrays_give_the_same_prior(tmp_path, demonstrations, prior) -> None:
    mapped = []
    for name, values in zip(("states", "actions"), demonstrations, strict=True):
        np.save(tmp_path / f"{name}.npy", values.numpy())
        mapped.append(np.load(tmp_path / f"{name}.npy", mmap_mode="r"))
    other = SMALL.fit(*mapped)
    for mine, theirs in zip(
        prior.moments(demonstrations[0]), other.moments(demonstrations[0]), strict=True
    ):
        assert torch.equal(mine, theirs)
    assert prior.data_hash == other.data_hash == hash_data(*demonstrations)


def test_never_takes_more_than_a_block_of_rows(tmp_path, monkeypatch) -> None:
    class Watched(np.ndarray):
        largest = 0

        def __getitem__(self, key):
            taken = super().__getitem__(key)
            Watched.largest = max(Watched.largest, len(taken))
            return taken.view(np.ndarray)

    monkeypatch.setattr("nppac_priors.demonstration_rows.BLOCK", 50)
    monkeypatch.setattr("nppac_priors.gp.sparse.fitting._CANDIDATES", 40)
    rng = np.random.default_rng(0)
    states, actions = rng.standard_normal((400, 3)), rng.uniform(-1, 1, (400, 2))
    SMALL.fit(states.view(Watched), actions.view(Watched))
    assert Watched.largest == 50


@pytest.mark.parametrize("include_factors", [False, True])
def test_reloads_with_the_same_predictions(
    tmp_path, demonstrations, prior, include_factors
) -> None:
    prior.save(tmp_path / "prior.safetensors", include_factors=include_factors)
    again = load_prior(tmp_path / "prior.safetensors")
    queries = torch.cat((demonstrations[0], 3.0 * demonstrations[0]))
    precise = [one.moments(queries, dtype=torch.float64) for one in (prior, again)]
    for mine, theirs in zip(*precise, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-6)
    assert (again.config, again.data_hash) == (prior.config, prior.data_hash)


def test_the_generator_decides_the_fit_and_the_global_one_is_left_alone(demonstrations) -> None:
    def fit(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return SMALL.fit(*demonstrations, generator=generator).mean(demonstrations[0])

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = fit(1)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, fit(1))
    assert not torch.equal(first, fit(2))


def test_no_gradient_reaches_the_prior(demonstrations, prior) -> None:
    states = demonstrations[0][:3].clone().requires_grad_()
    assert not any(moment.requires_grad for moment in prior.moments(states))
    assert not any(tensor.requires_grad for tensor in prior.state().values())


def test_extreme_states_have_the_prior_mean_and_std(prior) -> None:
    mean, std = prior.moments(torch.tensor([[1e30] * 3, [-3e38, 0.0, 1e30]]))
    hyper = prior.hyperparameters
    prior_std = (hyper.task_covariance.diagonal() + hyper.noise_variance).sqrt().float()
    torch.testing.assert_close(mean, hyper.mean.float().expand(2, 2))
    torch.testing.assert_close(std, prior_std.expand(2, 2))


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_states_of_extreme_scale_fit(demonstrations, scale) -> None:
    states, actions = demonstrations
    mean, std = SMALL.fit(states * scale, actions).moments(states * scale)
    assert torch.isfinite(mean).all()
    assert torch.isfinite(std).all()


def test_one_demonstration_state_is_enough() -> None:
    fitted = SMALL.fit(torch.ones(1, 3), torch.full((1, 2), 0.5))
    mean, _ = fitted.moments(torch.tensor([[1.0, 1.0, 1.0], [1e30, 0.0, -1e30]]))
    torch.testing.assert_close(mean[0], torch.full((2,), 0.5), rtol=0, atol=0.05)


def test_identical_states_and_constant_actions_are_fine() -> None:
    mean, std = SMALL.fit(torch.ones(30, 3), torch.zeros(30, 2)).moments(torch.ones(1, 3))
    torch.testing.assert_close(mean, torch.zeros(1, 2), rtol=0, atol=1e-3)
    assert (std > 0).all()


def test_weight_zero_leaves_a_state_out(demonstrations) -> None:
    states, actions = demonstrations
    weights = torch.ones(60)
    weights[30:] = 0.0
    spoiled = actions.clone()
    spoiled[30:] = 1.0
    weighted = SMALL.fit(states, actions, weights=weights)
    other = SMALL.fit(states, spoiled, weights=weights)
    torch.testing.assert_close(weighted.mean(states), other.mean(states), rtol=0, atol=1e-6)


def test_dead_state_dimensions_are_reported(demonstrations, caplog) -> None:
    states, actions = demonstrations
    with caplog.at_level("WARNING"):
        SMALL.fit(torch.cat((states, torch.ones(60, 1)), dim=1), actions)
    assert "sparse-gp: state dimensions [3] never change" in caplog.text


def test_moves_to_a_device_and_keeps_its_hash(demonstrations, prior) -> None:
    moved = prior.to("cpu")
    assert moved is not prior
    assert moved.data_hash == prior.data_hash
    assert torch.equal(moved.mean(demonstrations[0]), prior.mean(demonstrations[0]))


@pytest.mark.gpu
def test_agrees_on_the_gpu(demonstrations, prior) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    states = demonstrations[0]
    for other in (prior.to("cuda"), SMALL.fit(*demonstrations, device="cuda")):
        assert other.device.type == "cuda"
        for mine, theirs in zip(prior.moments(states), other.moments(states), strict=True):
            torch.testing.assert_close(mine, theirs.cpu(), rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    "arguments",
    [
        {"weights": torch.ones(59)},
        {"weights": torch.zeros(60)},
        {"episode_lengths": [30, 29]},
    ],
)
def test_what_does_not_fit_the_rows_is_refused(demonstrations, arguments) -> None:
    with pytest.raises(DataError):
        SMALL.fit(*demonstrations, **arguments)


def test_a_rank_above_the_number_of_actions_is_refused(demonstrations) -> None:
    config = SMALL.model_copy(update={"rank": 3, "task_covariance": "icm"})
    with pytest.raises(ConfigError, match=r"sparse-gp: rank 3 .* 2 action"):
        config.fit(*demonstrations)


def test_a_non_finite_bound_stops_the_fit(demonstrations, monkeypatch) -> None:
    nan = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(fitting.Bound, "expected_log_likelihood", lambda *_: nan * 1)
    with pytest.raises(NumericalError, match=r"step 1 .*learning_rate"):
        SMALL.fit(*demonstrations)


@pytest.mark.parametrize(
    "fields",
    [{"inducing_points": 0}, {"steps": 0}, {"natural_step": 1.5}, {"held_out_share": 1.0}],
)
def test_values_out_of_bounds_are_refused(fields) -> None:
    with pytest.raises(ValidationError):
        SparseGPConfig(**fields)


def test_every_field_is_described() -> None:
    fields = SparseGPConfig.model_fields.items()
    assert all(field.description for name, field in fields if name != "kind")
