"""The second door of every Gaussian prior: `tensors`, differentiable and without a check."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from no_waiting import no_waiting
from nppac_priors import (
    BayesianMLPConfig,
    ConstantVarianceConfig,
    EnsembleConfig,
    ExactGPConfig,
    GaussianMLPConfig,
    GaussianPrior,
    MeanAndScaleConfig,
    ProgramPriorConfig,
    SparseGPConfig,
    VarianceFloorConfig,
)

pytestmark = pytest.mark.medium

NETWORK: dict[str, Any] = {"hidden": (8,), "steps": 20, "held_out_share": 0.0}
MLP = GaussianMLPConfig(**NETWORK)
CONFIGS = {
    **{k: ExactGPConfig(kernel=k, steps=5) for k in ("rbf", "matern12", "matern32", "matern52")},
    "sparse": SparseGPConfig(inducing_points=10, start_steps=5, steps=5, batch_size=16),
    "mlp": MLP,
    "ensemble": EnsembleConfig(**NETWORK, members=3),
    "bayesian": BayesianMLPConfig(**NETWORK, samples=4),
    "floor": VarianceFloorConfig(prior=MLP, min_std=1e-3),
    "constant": ConstantVarianceConfig(prior=MLP, std=0.1),
    "mean and scale": MeanAndScaleConfig(mean=MLP, scale=ExactGPConfig(steps=5)),
}


class Clone(torch.nn.Module):
    """A policy of float64, as somebody else's program."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Linear(3, 4, dtype=torch.float64)

    def forward(self, states: torch.Tensor) -> Any:
        mean, log_std = self.body(states).tanh().chunk(2, -1)
        return mean, log_std.exp()


@pytest.fixture(scope="module")
def demonstrated() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    states = torch.from_numpy(rng.normal(size=(30, 3)).astype(np.float32))
    return states, states[:, :2].tanh()


@pytest.fixture(scope="module", params=[*CONFIGS, "program"])
def prior(request, demonstrated, tmp_path_factory) -> GaussianPrior:
    if request.param == "program":
        path = tmp_path_factory.mktemp("clone") / "clone.pt2"
        torch.manual_seed(0)
        shapes = ({0: torch.export.Dim("batch")},)
        example = (torch.zeros(2, 3, dtype=torch.float64),)
        torch.export.save(torch.export.export(Clone(), example, dynamic_shapes=shapes), path)
        return ProgramPriorConfig(path=str(path)).fit(*demonstrated)
    return CONFIGS[request.param].fit(*demonstrated)


def test_the_gradient_is_that_of_finite_differences(prior):
    states = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(prior.tensors, states.requires_grad_(), eps=1e-6, atol=1e-6)


def test_it_never_makes_the_host_wait_for_a_device(prior, demonstrated):
    prior.tensors(demonstrated[0])  # the first makes what is kept
    with no_waiting():
        prior.tensors(demonstrated[0])


def test_it_leaves_its_device_for_nothing(prior, demonstrated, monkeypatch):
    """On the meta device nothing is computed, and a tensor of the CPU among others is an error."""
    monkeypatch.setattr("nppac_priors.gp.exact.prior.hash_data", lambda *_: "of no data")
    prior.tensors(demonstrated[0])
    elsewhere = copy.deepcopy(prior).to("meta")
    mean, std = elsewhere.tensors(torch.zeros(5, 3, device="meta"))
    assert mean.device == std.device == torch.device("meta")
    assert mean.shape == std.shape == (5, 2)


def test_it_says_what_the_checked_door_says_and_in_float64_on_request(prior, demonstrated):
    states = torch.cat((demonstrated[0], demonstrated[0] + 5.0))
    for ours, checked in zip(prior.tensors(states), prior.moments(states), strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, checked, rtol=1e-4, atol=1e-6)
    for ours, checked in zip(prior.tensors(states.double()), prior.moments(states), strict=True):
        assert ours.dtype == torch.float64
        torch.testing.assert_close(ours.float(), checked, rtol=3e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 4, 3)])
def test_the_checked_door_answers_in_float64_on_request(prior, shape):
    states = np.random.default_rng(2).normal(size=shape)
    rows = prior.tensors(torch.from_numpy(states).reshape(-1, 3))
    for answered, expected in zip(prior.moments(states, dtype=torch.float64), rows, strict=True):
        assert answered.dtype == torch.float64
        assert answered.shape == (*shape[:-1], 2)
        assert torch.equal(answered.reshape(-1, 2), expected)


def test_at_a_demonstrated_state_the_gradient_is_finite(prior, demonstrated):
    """Its distance to itself is zero, where a root has no slope."""
    states = demonstrated[0].double().requires_grad_()
    mean, std = prior.tensors(states)
    (slope,) = torch.autograd.grad((mean + std).sum(), states)
    assert torch.isfinite(slope).all()


def test_it_looks_at_no_value(prior):
    """NaN passes through: a look at it would have been a check, which a graph cannot have."""
    mean, _ = prior.tensors(torch.full((2, 3), torch.nan))
    assert mean.shape == (2, 2)
