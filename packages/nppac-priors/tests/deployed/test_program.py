"""A policy as a program says what `load_policy` says: to 1e-4 of the action range, in float32."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nppac_priors import (
    BayesianMLPConfig,
    ConstantVarianceConfig,
    DeployedPolicy,
    EnsembleConfig,
    ExactGPConfig,
    GaussianMLPConfig,
    MeanAndScaleConfig,
    SparseGPConfig,
    VarianceFloorConfig,
    load_policy,
)
from nppac_priors.deployed import program
from nppac_priors.deployed.files import save_policy
from nppac_priors.errors import ConfigError, PolicyFileError

ort = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.medium

RANGE = np.array([4.2, 0.3], np.float32)
"""Of the actions of `fields`."""
NETWORK: dict[str, Any] = {"hidden": (8,), "steps": 20}
MLP = GaussianMLPConfig(**NETWORK)
SPARSE = SparseGPConfig(inducing_points=10, start_steps=5, steps=5, batch_size=16)
PRIORS = {
    "matern12": ExactGPConfig(kernel="matern12", steps=5),
    "matern32": ExactGPConfig(kernel="matern32", steps=5),
    "rbf": ExactGPConfig(kernel="rbf", steps=5),
    "sparse": SPARSE,
    "mlp": MLP,
    "ensemble": EnsembleConfig(**NETWORK, members=3),
    "bayesian": BayesianMLPConfig(**NETWORK, samples=4),
    "floor": VarianceFloorConfig(prior=MLP, min_std=1e-3),
    "constant": ConstantVarianceConfig(prior=MLP, std=0.1),
    "mean and scale": MeanAndScaleConfig(mean=MLP, scale=SPARSE),
}
ACTORS: dict[str, dict[str, Any]] = {
    "gaussian": {"form": "gaussian"},
    "squashed": {"form": "gaussian", "squash": True},
    "squashed residual": {"squash": True, "prior_scale": "variance"},
    "constant-std": {"form": "constant-std", "log_range": None},
    "deterministic": {"form": "deterministic", "log_range": None, "activation": "tanh"},
}


def agrees(found: dict[str, np.ndarray], policy: DeployedPolicy, states: np.ndarray) -> None:
    """With what the policy says, all that it says; single observations are a batch of one."""
    both = policy.distribution(states)
    wanted = {"action": policy.act(states), "policy_mean": both.policy.mean}
    wanted |= {"policy_std": both.policy.std}
    if both.prior is not None:
        wanted |= {"prior_mean": both.prior.mean, "prior_std": both.prior.std}
    assert set(found) - {"trust"} == set(wanted)
    for name, values in wanted.items():
        assert found[name].shape == values.shape
        assert (np.abs(found[name] - values) / RANGE).max() < 1e-4, name
    assert ("trust" in found) == (policy.alarm is not None)
    if policy.alarm is not None:
        share = 1.0 / len(policy.alarm.scores)  # one state more or less, by rounding
        np.testing.assert_allclose(found["trust"], policy.trust(states), atol=1.001 * share)


def by_onnx(path: Path, states: np.ndarray) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"states": states}), strict=True))


def check_onnx(policy: DeployedPolicy, path: Path, states: np.ndarray) -> None:
    policy.save_onnx(path)
    for batch in (states, states[3:4], states[:5] + 4.0):
        agrees(by_onnx(path, batch), policy, batch)


def test_a_torch_program_says_what_the_policy_says(folder, demonstrated):
    policy = load_policy(folder)
    policy.save_program(folder / "policy.pt2")
    run = torch.export.load(folder / "policy.pt2").module()
    for states in (demonstrated[0], demonstrated[0][3:4], demonstrated[0][:5] + 4.0):
        found = {name: of.numpy() for name, of in run(torch.from_numpy(states)).items()}
        agrees(found, policy, states)
    with zipfile.ZipFile(folder / "policy.pt2") as archive:
        pickled = [n for n in archive.namelist() if archive.read(n).startswith((b"\x80", b"PK"))]
    assert not pickled


@pytest.mark.slow
def test_onnx_says_what_the_policy_says(folder, demonstrated, tmp_path):
    check_onnx(load_policy(folder), tmp_path / "policy.onnx", demonstrated[0])


def test_onnx_of_a_policy_without_a_prior(tmp_path, fields, tensors, demonstrated):
    actor = fields["actor"].model_copy(update={"form": "gaussian"})
    save_policy(tmp_path / "alone", fields | {"actor": actor}, tensors, None, None)
    policy = load_policy(tmp_path / "alone")
    check_onnx(policy, tmp_path / "policy.onnx", demonstrated[0])
    import onnx

    model = onnx.load(tmp_path / "policy.onnx")
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert model.metadata_props[0].value == policy.spec.model_dump_json()


@pytest.mark.slow
@pytest.mark.parametrize("name", PRIORS)
def test_onnx_of_every_prior(name, tmp_path, fields, tensors, demonstrated):
    lengths = np.array([12] * 5)
    prior = PRIORS[name].fit(*demonstrated, episode_lengths=lengths)
    save_policy(tmp_path / "policy", fields, tensors, prior, None)
    check_onnx(load_policy(tmp_path / "policy"), tmp_path / "policy.onnx", demonstrated[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ACTORS)
def test_onnx_of_every_form_of_policy(name, tmp_path, fields, tensors, demonstrated, gp):
    actor = fields["actor"].model_copy(update=ACTORS[name])
    given = tensors
    if name in ("constant-std", "deterministic"):
        given = tensors | {"weight_1": tensors["weight_1"][:2], "bias_1": tensors["bias_1"][:2]}
        given |= {"std": torch.tensor([0.1, 0.2])}
    save_policy(tmp_path / "policy", fields | {"actor": actor}, given, gp, None)
    check_onnx(load_policy(tmp_path / "policy"), tmp_path / "policy.onnx", demonstrated[0])


def test_its_gradients_reach_the_states(folder, demonstrated):
    states = torch.from_numpy(demonstrated[0][:4]).requires_grad_()
    found = load_policy(folder).tensors(states)
    (slope,) = torch.autograd.grad(found.policy_mean[0].sum() + found.prior_std[0].sum(), states)
    assert (slope[0] != 0).any()
    assert (slope[1:] == 0).all()


def test_what_is_too_large_is_refused_in_one_line(folder, monkeypatch):
    monkeypatch.setattr(program, "LARGEST", 1000)
    with pytest.raises(ConfigError, match=r"'exact-gp': its \d+ MiB .* export it with --distil"):
        load_policy(folder).save_onnx(folder / "policy.onnx")
    assert not (folder / "policy.onnx").exists()


def test_a_prior_that_looks_at_values_is_refused_in_one_line(folder, monkeypatch):
    policy = load_policy(folder)

    def looks(states):
        return (states, states) if bool((states > 0).all()) else (-states, states)

    monkeypatch.setattr(policy.prior, "tensors", looks)
    with pytest.raises(ConfigError, match="'exact-gp': its `tensors` cannot be traced") as error:
        policy.save_program(folder / "policy.pt2")
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_and_a_missing_extra_are_a_line(folder, monkeypatch):
    policy = load_policy(folder)
    with pytest.raises(PolicyFileError, match="cannot be written: No such file"):
        policy.save_program(folder / "none" / "policy.pt2")
    monkeypatch.setattr(program.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'nppac-priors\[onnx\]'"):
        policy.save_onnx(folder / "policy.onnx")
