from __future__ import annotations

import math

import pytest
import torch
from nppac_priors.gp.kernels import augment, evaluate, squared_distances
from nppac_priors.gp.model import data_kernel

KERNELS = ["rbf", "matern12", "matern32", "matern52"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_equals_the_gpytorch_kernel(kernel) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    z = torch.randn(15, 4, generator=generator, dtype=torch.float64)
    scale = torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64)
    module = data_kernel(kernel, 4).double()
    module.lengthscale = scale
    ours = evaluate(kernel, squared_distances(z / scale, augment(x / scale)))
    torch.testing.assert_close(ours, module(z, x).to_dense().detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_is_one_at_distance_zero_and_exactly_zero_far_away(kernel) -> None:
    values = evaluate(kernel, torch.tensor([0.0, 1e8]))
    assert values.tolist() == [1.0, 0.0]


def test_distances_close_to_a_point_keep_their_digits() -> None:
    point = torch.full((1, 40), 3.0, dtype=torch.float64)
    query = point.clone()
    query[0, 0] += 1e-6
    squared = squared_distances(query, augment(point))
    assert math.sqrt(squared.item()) == pytest.approx(1e-6, abs=2e-7)


def test_distances_of_huge_states_are_finite() -> None:
    point = torch.zeros(1, 2, dtype=torch.float64)
    squared = squared_distances(torch.full((1, 2), 1e40, dtype=torch.float64), augment(point))
    assert torch.isfinite(squared).all()
    assert squared.item() >= 1e8
