from __future__ import annotations

import torch
from nppac_agents.parts.clamp import inward_clamp

VALUES = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0], dtype=torch.float64)


def slope(gradient):
    values = VALUES.clone().requires_grad_()
    inward_clamp(values, -2.0, 2.0).backward(gradient)
    return values.grad


def test_the_values_are_those_of_the_plain_clamp() -> None:
    torch.testing.assert_close(inward_clamp(VALUES, -2.0, 2.0), VALUES.clamp(-2.0, 2.0))


def test_inside_the_bounds_the_gradient_is_exact() -> None:
    inside = VALUES[1:4].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda v: inward_clamp(v, -2.0, 2.0).square(), (inside,))


def test_outside_a_gradient_passes_that_leads_back() -> None:
    """A minimiser goes against the gradient: a positive one brings a value down."""
    assert slope(torch.ones(5).double()).tolist() == [0.0, 1.0, 1.0, 1.0, 1.0]
    assert slope(-torch.ones(5).double()).tolist() == [-1.0, -1.0, -1.0, -1.0, 0.0]


def test_a_minimiser_comes_back_and_does_not_run_away() -> None:
    values = torch.tensor([5.0, 5.0], requires_grad=True)
    optimizer = torch.optim.SGD([values], lr=0.5)
    for _ in range(40):
        clamped = inward_clamp(values, -2.0, 2.0)
        loss = (clamped - torch.tensor([1.0, 9.0])).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert torch.allclose(values, torch.tensor([1.0, 5.0]))
