import math

import pytest
import torch
from nppac_agents.parts.dual import Dual

pytestmark = pytest.mark.medium


@pytest.mark.parametrize("form", ["ascend", "ascend_log"])
@pytest.mark.parametrize(("excess", "direction"), [(3.0, 1), (-3.0, -1)])
def test_a_multiplier_rises_while_its_constraint_is_exceeded_and_falls_below(
    form, excess, direction
):
    dual = Dual.scalar(0.3, rate=1e-2)
    assert dual.value().item() == pytest.approx(0.3)
    for _ in range(10):
        getattr(dual, form)(torch.full((4,), excess))
    assert (dual.value().item() - 0.3) * direction > 0.01


@pytest.mark.parametrize("form", ["ascend", "ascend_log"])
def test_the_excess_is_a_number_even_if_it_was_made_with_the_multiplier(form):
    """With a gradient, (6.5 - 2 l) l falls at l = 3, where the excess is 0.5."""
    dual = Dual.scalar(3.0, rate=1e-2)
    getattr(dual, form)((6.5 - 2.0 * dual.net()).expand(4))
    assert dual.value().item() > 3.0


@pytest.mark.parametrize("form", ["ascend", "ascend_log"])
@pytest.mark.parametrize("direction", [1, -1])
def test_the_first_step_changes_its_logarithm_by_the_rate(form, direction):
    dual = Dual.scalar(0.3, rate=1e-2)
    getattr(dual, form)(torch.full((4,), 2.5 * direction))
    assert dual.value().item() == pytest.approx(0.3 * math.exp(1e-2 * direction), rel=1e-5)


def quadratic(dual, *states, bound):
    """The Lagrangian min_x x^2 + l (b - x) has x = l / 2: at x = b, l = 2 b."""
    for _ in range(3_000):
        dual.ascend(bound - dual.value(*states) / 2, *states)
    return dual.value(*states)


def test_a_quadratic_excess_is_held_at_its_bound():
    found = quadratic(Dual.scalar(0.5, rate=2e-2), bound=torch.tensor([1.0]))
    assert found.item() == pytest.approx(2.0, rel=1e-3)


def test_several_are_held_each_at_its_own_bound():
    found = quadratic(Dual.softplus(0.0, rate=2e-2, size=2), bound=torch.tensor([[0.25, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([0.5, 2.0]), rtol=1e-3, atol=0)


def test_of_states_each_is_held_at_its_own_bound(generator):
    dual = Dual.of_states(1, (16,), 1e-2, generator)
    found = quadratic(dual, torch.tensor([[-1.0], [1.0]]), bound=torch.tensor([0.25, 1.0]))
    torch.testing.assert_close(found, torch.tensor([0.5, 2.0]), rtol=1e-2, atol=0)


def test_a_bounded_multiplier_stays_within_its_bounds_and_comes_back():
    dual = Dual.scalar(1.0, rate=1.0, log_bounds=(-2.0, 3.0))
    for _ in range(20):
        dual.ascend(torch.ones(1))
    assert dual.value().item() == pytest.approx(math.exp(3.0))
    for _ in range(200):
        dual.ascend(-torch.ones(1))
    assert dual.value().item() == pytest.approx(math.exp(-2.0))


def test_a_multiplier_of_the_state_learns_where_the_constraint_binds(generator):
    dual = Dual.of_states(1, (16,), 1e-2, generator)
    states = torch.tensor([[-1.0], [1.0]])
    before = dual.value(states)
    for _ in range(100):
        dual.ascend(torch.tensor([-1.0, 1.0]), states)
    after = dual.value(states)
    assert after.shape == (2,)
    assert after[0] < before[0]
    assert after[1] > before[1] + 0.1
    assert (after > 0).all()


def test_softplus_multipliers_rise_each_for_itself_down_to_their_least_value():
    dual = Dual.softplus(10.0, rate=0.5, size=2)
    torch.testing.assert_close(dual.value(), torch.full((2,), 10.0), rtol=1e-4, atol=0)
    for _ in range(4):
        dual.ascend(torch.tensor([[3.0, -1.0], [1.0, -3.0]]))
    torch.testing.assert_close(dual.value(), torch.tensor([12.0, 8.0]), rtol=1e-3, atol=0)
    least = Dual.softplus(-17.5, rate=0.5)
    for _ in range(20):
        least.ascend(-torch.ones(1))
    assert least.value().log().item() == pytest.approx(-18.0)
