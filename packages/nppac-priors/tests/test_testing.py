"""The conformance kit catches what it is there for; `test_conformance` shows what passes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from nppac_priors.conformance_data import NOISE_STD, demonstrations
from nppac_priors.errors import NumericalError
from nppac_priors.prior import GaussianPrior
from nppac_priors.testing import PriorConformance
from torch.distributions import Independent, Normal


@pytest.fixture
def make(linear_config):
    """`make(**methods)`: a prior whose class has these methods in place of its own."""
    states, actions, _ = demonstrations()
    fitted = linear_config(std=NOISE_STD).fit(states, actions)

    def build(**methods: Any) -> GaussianPrior:
        cls = type("Broken", (type(fitted),), methods)
        return cls(fitted.config, fitted.weight, fitted.data_hash)

    return build


def _in_a_shape(prior: Any, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    kit = PriorConformance()
    kit.test_one_state_a_batch_and_a_block_are_answered_in_both_precisions(prior, shape, dtype)


CHECKS = {
    "std": lambda prior: PriorConformance().test_std_is_the_standard_deviation_of_actions(prior),
    "one answer": lambda prior: PriorConformance().test_a_state_has_one_answer(prior),
    "moments": lambda prior: PriorConformance().test_a_gaussian_prior_returns_its_moments(prior),
    "finite": lambda prior: PriorConformance().test_every_finite_state_has_a_finite_answer(prior),
    "frozen": lambda prior: PriorConformance().test_no_gradient_goes_into_the_prior(prior),
    "gradient": lambda prior: PriorConformance().test_the_gradient_goes_to_the_actions(prior),
    "shapes": lambda prior: PriorConformance().test_shapes(prior),
    "queries": lambda prior: PriorConformance().test_unusable_queries_are_refused(prior),
    "layout": lambda prior: PriorConformance().test_its_tensors_lie_as_a_file_keeps_them(prior),
    "density": lambda prior: PriorConformance().test_its_density_integrates_to_one(prior),
    "precision": lambda prior: _in_a_shape(prior, (), torch.float64),
    "block": lambda prior: _in_a_shape(prior, (2, 3), torch.float32),
    "float64": lambda prior: (
        PriorConformance().test_the_gradient_in_float64_is_that_of_finite_differences(prior)
    ),
    "device": lambda prior: PriorConformance().test_it_moves_between_devices(prior),
}


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "finite"])
def test_a_good_prior_passes(make, check) -> None:
    CHECKS[check](make())


def variance_as_std(self: Any, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = states @ self.weight
    return mean, torch.full_like(mean, self.std**2)


def std_of_the_mean(self: Any, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = states @ self.weight
    return mean, torch.full_like(mean, self.std / math.sqrt(600))


def fresh_draws(self: Any, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = states @ self.weight + 0.01 * torch.randn(len(states), 1)
    return mean, torch.full_like(mean, self.std)


def depends_on_the_batch(self: Any, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = (states - states.mean(0)) @ self.weight
    return mean, torch.full_like(mean, self.std)


def overflows(self: Any, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    mean = states.square() @ self.weight
    return mean, torch.full_like(mean, self.std)


def another_mean(self: Any, states: torch.Tensor) -> torch.Tensor:
    return states @ self.weight + 0.1


def trainable(self: Any, *, include_factors: bool = False) -> dict[str, torch.Tensor]:
    return {"weight": self.weight.clone().requires_grad_()}


def column_by_column(self: Any, *, include_factors: bool = False) -> dict[str, torch.Tensor]:
    return {"weight": self.weight.T.contiguous().T}


def per_dimension(self: Any, states: torch.Tensor) -> Normal:
    return Normal(*self.tensors(states))


class Detached(Independent):
    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        return super().log_prob(value.detach())


def cuts_the_gradient(self: Any, states: torch.Tensor) -> Detached:
    return Detached(Normal(*self.tensors(states)), 1)


class Shifted(Independent):
    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        return super().log_prob(value) + 0.1


def forgets_its_normaliser(self: Any, states: torch.Tensor) -> Shifted:
    return Shifted(Normal(*self.tensors(states)), 1)


def unchecked(self: Any, states: torch.Tensor) -> Independent:
    mean = torch.zeros(len(states), 2)
    return Independent(Normal(mean, mean + 0.3), 1)


def in_float32(self: Any, states: torch.Tensor) -> Independent:
    return Independent(Normal(*self.tensors(states.float())), 1)


class Rounded(Independent):
    def log_prob(self, value: torch.Tensor) -> torch.Tensor:
        return super().log_prob(value.float()).double()


def rounds_on_its_way(self: Any, states: torch.Tensor) -> Rounded:
    return Rounded(Normal(*self.tensors(states)), 1)


def row_by_row(self: Any, distribution: Independent, shape: tuple[int, ...]) -> Independent:
    return distribution


def forgets_its_hash(self: Any, device: Any) -> GaussianPrior:
    return type(self)(self.config, self.weight.to(device))


NOT_RAISED = pytest.fail.Exception


@pytest.mark.parametrize(
    ("check", "fault", "error"),
    [
        ("std", {"tensors": variance_as_std}, AssertionError),
        ("std", {"tensors": std_of_the_mean}, AssertionError),
        ("one answer", {"tensors": fresh_draws}, AssertionError),
        ("one answer", {"tensors": depends_on_the_batch}, AssertionError),
        ("finite", {"tensors": overflows}, NumericalError),
        ("moments", {"_mean": another_mean}, AssertionError),
        ("frozen", {"state": trainable}, AssertionError),
        ("layout", {"state": column_by_column}, AssertionError),
        ("gradient", {"_distribution": cuts_the_gradient}, RuntimeError),
        ("density", {"_distribution": forgets_its_normaliser}, AssertionError),
        ("shapes", {"_distribution": per_dimension}, AssertionError),
        ("precision", {"_distribution": in_float32}, AssertionError),
        ("block", {"_shaped": row_by_row}, AssertionError),
        ("float64", {"_distribution": rounds_on_its_way}, RuntimeError),
        ("queries", {"__call__": unchecked}, NOT_RAISED),
        ("device", {"to": forgets_its_hash}, AssertionError),
    ],
)
def test_a_fault_is_caught(make, check, fault, error) -> None:
    with pytest.raises(error):
        CHECKS[check](make(**fault))
