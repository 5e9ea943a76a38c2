from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from nppac_priors import ExactGPConfig, load_prior, prior_registry
from nppac_priors.data import hash_data
from nppac_priors.errors import ConfigError, DataError
from nppac_priors.gp import memory
from nppac_priors.gp.exact.conditioning import Decomposition, check_size, decompose
from nppac_priors.gp.model import GPModel
from pydantic import ValidationError

SMALL = ExactGPConfig(steps=5, subset_size=20)


@pytest.fixture(scope="module")
def demonstrations() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(40, 3, generator=generator)
    return states, torch.stack((states[:, 0].sin(), states[:, 1].tanh()), dim=1)


@pytest.fixture(scope="module")
def prior(demonstrations):
    return SMALL.fit(*demonstrations)


def test_is_found_by_its_kind() -> None:
    assert prior_registry().get("exact-gp") is ExactGPConfig


def test_the_fit_learns_the_actions(demonstrations) -> None:
    states, actions = demonstrations
    fitted = ExactGPConfig(steps=60).fit(states, actions)
    error = (fitted.mean(states) - actions).abs().max()
    assert error < 0.1


def test_numpy_and_double_give_the_same_prior(demonstrations, prior) -> None:
    states, actions = demonstrations
    other = SMALL.fit(states.double().numpy(), actions.double().numpy())
    for mine, theirs in zip(prior.moments(states), other.moments(states), strict=True):
        assert torch.equal(mine, theirs)
    assert prior.data_hash == other.data_hash == hash_data(states, actions)


def test_the_distribution_has_the_moments(demonstrations, prior) -> None:
    states = demonstrations[0][:7]
    mean, std = prior.moments(states)
    distribution = prior(states)
    assert distribution.event_shape == (2,)
    assert torch.equal(distribution.mean, mean)
    torch.testing.assert_close(distribution.stddev, std)
    torch.testing.assert_close(prior.mean(states), mean)
    assert mean.dtype == std.dtype == torch.float32


def test_no_gradient_reaches_the_prior(demonstrations, prior) -> None:
    states = demonstrations[0][:3].clone().requires_grad_()
    assert not prior.mean(states).requires_grad
    assert not any(moment.requires_grad for moment in prior.moments(states))


@pytest.mark.parametrize("include_factors", [False, True])
def test_reloads_with_the_same_predictions(
    tmp_path, demonstrations, prior, include_factors
) -> None:
    path = tmp_path / "prior.safetensors"
    prior.save(path, include_factors=include_factors)
    again = load_prior(path)
    queries = torch.cat((demonstrations[0], 3.0 * demonstrations[0]))
    precise = [one.moments(queries, dtype=torch.float64) for one in (prior, again)]
    for mine, theirs in zip(*precise, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-6)
    assert again.data_hash == prior.data_hash
    assert again.config == prior.config


def test_factors_spare_the_conditioning(tmp_path, prior, monkeypatch) -> None:
    prior.save(tmp_path / "full", include_factors=True)
    prior.save(tmp_path / "slim")
    assert (tmp_path / "slim").stat().st_size < (tmp_path / "full").stat().st_size

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("nppac_priors.gp.exact.prior.decompose", refuse)
    load_prior(tmp_path / "full").mean(torch.zeros(1, 3))
    with pytest.raises(AssertionError):
        load_prior(tmp_path / "slim").mean(torch.zeros(1, 3))


def test_a_prior_that_is_read_back_reuses_the_posterior_of_an_equal_one(
    tmp_path, demonstrations, prior, monkeypatch
) -> None:
    states, actions = demonstrations
    prior.save(tmp_path / "prior")
    afresh = load_prior(tmp_path / "prior").moments(states)
    other_data = SMALL.fit(states, actions.flip(0))
    other_fit = SMALL.fit(states, actions, generator=torch.Generator().manual_seed(1))

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("nppac_priors.gp.exact.prior.decompose", refuse)
    again = load_prior(tmp_path / "prior")
    for other in (other_data, other_fit, load_prior(tmp_path / "prior")):
        again.reuse(other)
        with pytest.raises(AssertionError):
            again.mean(states)
    again.reuse(prior)
    for mine, fresh in zip(again.moments(states), afresh, strict=True):
        assert torch.equal(mine, fresh)


def test_one_factorisation_answers_without_each_episode_and_with_all(
    tmp_path, demonstrations, prior, monkeypatch
) -> None:
    calls = []

    def counted(*arguments: Any) -> Decomposition:
        calls.append(1)
        return decompose(*arguments)

    wanted = prior.left_out_std(*demonstrations, torch.tensor([15, 25]))
    prior.save(tmp_path / "slim")
    monkeypatch.setattr("nppac_priors.gp.exact.prior.decompose", counted)
    again = load_prior(tmp_path / "slim")
    assert torch.equal(again.left_out_std(*demonstrations, torch.tensor([15, 25])), wanted)
    for mine, theirs in zip(
        again.moments(demonstrations[0]), prior.moments(demonstrations[0]), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)
    assert len(calls) == 1


def test_a_prior_that_inference_mode_conditions_is_differentiable_afterwards(
    tmp_path, prior
) -> None:
    prior.save(tmp_path / "slim")
    again = load_prior(tmp_path / "slim")
    with torch.inference_mode():
        again.mean(torch.zeros(1, 3))
    states = torch.full((1, 3), 0.3, requires_grad=True)
    again.tensors(states)[1].sum().backward()
    assert states.grad is not None
    assert states.grad.abs().sum() > 0


def test_the_generator_decides_the_fit(demonstrations) -> None:
    def fit(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return SMALL.fit(*demonstrations, generator=generator).mean(demonstrations[0])

    assert torch.equal(fit(1), fit(1))
    assert not torch.equal(fit(1), fit(2))


def test_the_global_generator_is_left_alone(demonstrations) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    SMALL.fit(*demonstrations)
    assert torch.equal(torch.rand(3), expected)


def test_weight_zero_leaves_a_state_out(demonstrations) -> None:
    states, actions = demonstrations
    weights = torch.ones(40)
    weights[30:] = 0.0
    weighted = SMALL.fit(states, actions, weights=weights)
    shorter = SMALL.fit(states[:30], actions[:30])
    assert torch.equal(weighted.mean(states), shorter.mean(states))


@pytest.mark.parametrize(
    "weights", [torch.ones(39), -torch.ones(40), torch.zeros(40), torch.full((40,), torch.nan)]
)
def test_unusable_weights_are_refused(demonstrations, weights) -> None:
    with pytest.raises(DataError, match="weights"):
        SMALL.fit(*demonstrations, weights=weights)


def test_published_hyperparameters_replace_the_fit(tmp_path, demonstrations, draw) -> None:
    model = draw("rbf", 2, 3, 2, 1).model
    torch.save(model.state_dict(), tmp_path / "gp.pt")
    config = ExactGPConfig(kernel="rbf", hyperparameters=tmp_path / "gp.pt")
    stages = []
    fitted = config.fit(*demonstrations, progress=lambda report: stages.append(report.stage))
    assert set(stages) == {"condition"}
    for name, value in vars(model.hyperparameters()).items():
        assert torch.equal(vars(fitted.hyperparameters)[name], value)


def test_one_demonstration_state_is_enough() -> None:
    fitted = SMALL.fit(torch.ones(1, 3), torch.full((1, 2), 0.5))
    mean, std = fitted.moments(torch.tensor([[1.0, 1.0, 1.0], [1e30, 0.0, -1e30]]))
    assert torch.isfinite(mean).all()
    assert (std > 0).all()
    torch.testing.assert_close(mean[0], torch.full((2,), 0.5), rtol=0, atol=0.05)


def test_identical_states_and_constant_actions_are_fine() -> None:
    fitted = SMALL.fit(torch.ones(30, 3), torch.zeros(30, 2))
    mean, std = fitted.moments(torch.ones(1, 3))
    torch.testing.assert_close(mean, torch.zeros(1, 2), rtol=0, atol=1e-3)
    assert (std > 0).all()


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_states_of_extreme_scale_fit(demonstrations, scale) -> None:
    states, actions = demonstrations
    fitted = SMALL.fit(states * scale, actions)
    mean, std = fitted.moments(states * scale)
    assert torch.isfinite(mean).all()
    assert torch.isfinite(std).all()


def test_what_does_not_fit_into_memory_is_refused_with_the_figures(
    demonstrations, monkeypatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: 40_000.0)
    with pytest.raises(DataError, match=r"40 states need .* GiB on cpu, .* sparse-gp"):
        SMALL.fit(*demonstrations)


def test_twenty_thousand_states_need_twelve_gib(monkeypatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(memory, "free_memory", lambda _: 12 * 2**30)
    check_size(20_000, cpu)
    monkeypatch.setattr(memory, "free_memory", lambda _: 11 * 2**30)
    with pytest.raises(DataError, match=r"20000 states need 11\.9 GiB on cpu, 11\.0 GiB are free"):
        check_size(20_000, cpu)
    monkeypatch.setattr(memory, "free_memory", lambda _: math.inf)
    with pytest.raises(DataError, match="40000 states are more than the 32000"):
        check_size(40_000, cpu)


@pytest.mark.medium
def test_near_duplicates_with_conflicting_actions_are_averaged() -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(40, 3, generator=generator).repeat(5, 1)
    states = states * (1.0 + 1e-7 * torch.randn(200, 3, generator=generator))
    noise = 0.2 * torch.randn(200, 2, generator=generator)
    actions = (0.3 * states[:, :2].sin() + noise).clamp(-1, 1)
    fitted = ExactGPConfig(steps=80, subset_size=None).fit(states, actions)
    mean, std = fitted.moments(states)
    average = actions.reshape(5, 40, 2).mean(0).repeat(5, 1)
    assert (mean - average).square().mean().sqrt() < 0.1
    assert ((std > 0.14) & (std < 0.3)).all()


def test_dead_state_dimensions_are_reported(demonstrations, caplog) -> None:
    states, actions = demonstrations
    with caplog.at_level("WARNING"):
        SMALL.fit(torch.cat((states, torch.ones(40, 1)), dim=1), actions)
    assert "exact-gp: state dimensions [3] never change" in caplog.text


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
    moved = prior.to("cuda")
    fitted = SMALL.fit(*demonstrations, device="cuda")
    assert moved.device.type == fitted.device.type == "cuda"
    for other in (moved, fitted):
        for mine, theirs in zip(prior.moments(states), other.moments(states), strict=True):
            torch.testing.assert_close(mine, theirs.cpu(), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "fields",
    [{"kernel": "cosine"}, {"rank": 0}, {"steps": 0}, {"learning_rate": 0.0}, {"subset_size": 0}],
)
def test_values_out_of_bounds_are_refused(fields) -> None:
    with pytest.raises(ValidationError):
        ExactGPConfig(**fields)


def test_every_field_is_described() -> None:
    described = [f.description for name, f in ExactGPConfig.model_fields.items() if name != "kind"]
    assert all(described)


def test_a_diagonal_task_covariance_is_diagonal(demonstrations) -> None:
    config = SMALL.model_copy(update={"task_covariance": "diagonal"})
    covariance = config.fit(*demonstrations).hyperparameters.task_covariance
    assert torch.equal(covariance, covariance.diagonal().diag())
    assert config.task_rank == 0


def test_a_higher_rank_is_learned(demonstrations) -> None:
    config = SMALL.model_copy(update={"rank": 2, "task_covariance": "icm"})
    assert GPModel("rbf", 3, 2, config.task_rank).covar_module.task_covar_module
    assert config.fit(*demonstrations).hyperparameters.task_covariance[0, 1] != 0.0


def test_a_rank_above_the_number_of_actions_is_refused(demonstrations) -> None:
    config = SMALL.model_copy(update={"rank": 3, "task_covariance": "icm"})
    with pytest.raises(ConfigError, match=r"rank 3 .* 2 action"):
        config.fit(*demonstrations)


def test_changing_the_arrays_afterwards_changes_nothing(demonstrations) -> None:
    states, actions = (array.clone() for array in demonstrations)
    fitted = SMALL.fit(states, actions)
    states.zero_()
    assert torch.equal(fitted.data.states, demonstrations[0])
