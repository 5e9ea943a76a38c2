import math

import pytest
import torch
from nppac_agents.parts.discrepancy import mmd

KERNELS = ["laplacian", "gaussian"]


def normal(*shape: int, seed: int):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("kernel", KERNELS)
def test_equal_sets_have_none_in_whatever_order(kernel):
    x = normal(5, 7, 2, seed=0)
    floor = torch.full((7,), 1e-3, dtype=torch.float64)
    torch.testing.assert_close(mmd(x, x, kernel, 1.0), floor, rtol=1e-4, atol=0.0)
    torch.testing.assert_close(mmd(x, x.flip(0), kernel, 1.0), floor, rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_it_is_symmetric_and_grows_with_a_shift(kernel):
    x, y = normal(5, 7, 2, seed=0), normal(4, 7, 2, seed=1)
    torch.testing.assert_close(mmd(x, y, kernel, 2.0), mmd(y, x, kernel, 2.0))
    shifted = torch.stack([mmd(x, x + shift, kernel, 2.0) for shift in (0.1, 0.5, 2.0)])
    assert (shifted.diff(dim=0) > 0).all()


def test_two_single_actions_by_hand():
    x, y = torch.tensor([[[0.0, 1.0]]]), torch.tensor([[[2.0, 0.0]]])
    laplacian = math.sqrt(2 - 2 * math.exp(-3 / 8) + 1e-6)
    gaussian = math.sqrt(2 - 2 * math.exp(-5 / 8) + 1e-6)
    assert mmd(x, y, "laplacian", 4.0).item() == pytest.approx(laplacian)
    assert mmd(x, y, "gaussian", 4.0).item() == pytest.approx(gaussian)


def test_each_state_is_for_itself():
    x, y = normal(5, 2, 3, seed=0), normal(4, 2, 3, seed=1)
    alone = mmd(x[:, :1], y[:, :1], "laplacian", 1.0)
    torch.testing.assert_close(mmd(x, y, "laplacian", 1.0)[:1], alone)


def test_the_gradient_is_finite_at_equal_sets():
    x = normal(5, 7, 2, seed=0).requires_grad_()
    mmd(x, x.detach().flip(0), "gaussian", 1.0).sum().backward()
    assert x.grad.isfinite().all()
