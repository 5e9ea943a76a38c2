from __future__ import annotations

import pytest
import torch
from nppac_priors.errors import DataError
from nppac_priors.gp.exact.reference import load_hyperparameters


@pytest.fixture
def saved(tmp_path, draw):
    """Save a drawn model, its state dict changed by a function, and return the path."""

    def save(change=lambda state: state):
        state = draw("matern32", 2, 3, 4, 1).model.state_dict()
        path = tmp_path / "gp.pt"
        torch.save(change(dict(state)), path)
        return path

    return save


def test_a_saved_model_comes_back(saved, draw) -> None:
    expected = draw("matern32", 2, 3, 4, 1).hyperparameters
    got = load_hyperparameters(saved(), "matern32", 3, 4)
    for name, value in vars(expected).items():
        torch.testing.assert_close(vars(got)[name], value, rtol=1e-12, atol=0)


def test_the_published_names_are_understood(saved, draw) -> None:
    def publish(state):
        state["likelihood.noise_covar.raw_noise"] = state.pop("likelihood.raw_task_noises")
        for i in range(4):
            value = state.pop(f"mean_module.base_means.{i}.raw_constant")
            state[f"mean_module.base_means.{i}.constant"] = value.reshape(1)
        state["base_kernel.raw_lengthscale"] = state[
            "covar_module.data_covar_module.raw_lengthscale"
        ]
        return {name: value for name, value in state.items() if "constraint" not in name}

    expected = draw("matern32", 2, 3, 4, 1).hyperparameters
    got = load_hyperparameters(saved(publish), "matern32", 3, 4)
    for name, value in vars(expected).items():
        torch.testing.assert_close(vars(got)[name], value, rtol=1e-12, atol=0)


def test_published_values_have_the_documented_constraints(published) -> None:
    state = torch.load(published.path, map_location="cpu", weights_only=True)
    s, a = published.states.shape[1], published.actions.shape[1]
    got = load_hyperparameters(published.path, published.kernel, s, a)

    def softplus(name):
        return torch.nn.functional.softplus(state[name].double())

    w = state["covar_module.task_covar_module.covar_factor"].double()
    task = w @ w.T + softplus("covar_module.task_covar_module.raw_var").diag()
    noise = softplus("likelihood.noise_covar.raw_noise") + softplus("likelihood.raw_noise") + 2e-4
    lengthscale = softplus("covar_module.data_covar_module.raw_lengthscale")[0]
    torch.testing.assert_close(got.task_covariance, task, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(got.noise_variance, noise, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(got.lengthscale, lengthscale, rtol=1e-6, atol=1e-9)
    assert got.mean[0].item() == pytest.approx(state["mean_module.base_means.0.constant"].item())


@pytest.mark.parametrize(("s", "a"), [(5, 4), (3, 2)])
def test_other_dimensions_are_refused(saved, s, a) -> None:
    with pytest.raises(DataError, match="has shape"):
        load_hyperparameters(saved(), "matern32", s, a)


def test_a_missing_entry_is_named(saved) -> None:
    path = saved(lambda state: {k: v for k, v in state.items() if k != "likelihood.raw_noise"})
    with pytest.raises(DataError, match=r"'likelihood.raw_noise' is missing"):
        load_hyperparameters(path, "matern32", 3, 4)


def test_a_non_finite_entry_is_named(saved) -> None:
    def spoil(state):
        return {**state, "likelihood.raw_noise": torch.tensor([float("nan")])}

    with pytest.raises(DataError, match=r"'likelihood.raw_noise' is not finite"):
        load_hyperparameters(saved(spoil), "matern32", 3, 4)


@pytest.mark.parametrize("content", [{"step": 3}, [1, 2], {}, {"weight": torch.zeros(3)}])
def test_what_is_no_state_dict_of_a_gp_is_refused(tmp_path, content) -> None:
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(DataError, match=r"x\.pt"):
        load_hyperparameters(tmp_path / "x.pt", "rbf", 3, 4)


def test_files_that_cannot_be_read_are_refused(tmp_path) -> None:
    (tmp_path / "garbage.pt").write_bytes(b"not a state dict")
    (tmp_path / "empty.pt").touch()
    for name in ("garbage.pt", "empty.pt", "absent.pt", "."):
        with pytest.raises(DataError) as error:
            load_hyperparameters(tmp_path / name, "rbf", 3, 4)
        assert "\n" not in str(error.value)


class _Payload:
    def __reduce__(self):
        return (print, ("executed",))


def test_a_pickle_with_code_is_refused(tmp_path, capsys) -> None:
    torch.save(_Payload(), tmp_path / "evil.pt")
    with pytest.raises(DataError, match="cannot be read"):
        load_hyperparameters(tmp_path / "evil.pt", "rbf", 3, 4)
    assert "executed" not in capsys.readouterr().out
