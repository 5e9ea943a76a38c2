from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from nppac_priors.errors import DataError, NumericalError


def test_the_distribution_has_the_moments(linear_prior):
    states = torch.tensor([[0.1, 0.2, 0.3], [1.0, -1.0, 2.0]])
    mean, std = linear_prior.moments(states)
    expected = states[:, :2] - 0.3 * states[:, 2:]
    torch.testing.assert_close(mean, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(std, torch.full((2, 2), 0.25))
    distribution = linear_prior(states)
    assert (distribution.batch_shape, distribution.event_shape) == ((2,), (2,))
    torch.testing.assert_close(distribution.mean, mean)
    torch.testing.assert_close(distribution.stddev, std)
    actions = mean + 0.25
    by_hand = 2 * (-0.5 - math.log(0.25) - 0.5 * math.log(2 * math.pi))
    torch.testing.assert_close(distribution.log_prob(actions), torch.full((2,), by_hand))


def test_mean_agrees_with_the_moments(linear_prior):
    states = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(linear_prior.mean(states), linear_prior.moments(states)[0])


def test_arrays_of_any_precision_are_states(linear_prior):
    states = np.ones((2, 3))
    assert linear_prior.mean(states).dtype == torch.float32
    assert linear_prior(states.astype(np.float16)).mean.dtype == torch.float32


@pytest.mark.parametrize("shape", [(), (5,), (4, 5), (2, 1, 3)])
def test_one_state_or_a_block_is_answered_in_its_shape(linear_prior, shape):
    states = torch.randn(*shape, 3, generator=torch.Generator().manual_seed(1))
    wanted = linear_prior.moments(states.reshape(-1, 3))
    distribution = linear_prior(states.numpy())
    assert (distribution.batch_shape, distribution.event_shape) == (shape, (2,))
    for found, rows in zip(linear_prior.moments(states), wanted, strict=True):
        assert found.shape == (*shape, 2)
        assert torch.equal(found.reshape(-1, 2), rows)
    assert torch.equal(linear_prior.mean(states), linear_prior.moments(states)[0])
    assert torch.equal(distribution.mean, linear_prior.mean(states))
    assert torch.equal(distribution.stddev, linear_prior.moments(states)[1])


def test_nested_lists_are_states(linear_prior):
    assert torch.equal(
        linear_prior.mean([[1.0, 2.0, 3.0]]), linear_prior.mean(np.array([[1, 2, 3]]))
    )
    with pytest.raises(DataError, match="not an array of numbers"):
        linear_prior.mean([[1.0, 2.0, 3.0], [1.0]])


def test_no_states_give_no_actions(linear_prior):
    assert linear_prior.mean(torch.zeros(0, 3)).shape == (0, 2)


@pytest.mark.parametrize("query", ["mean", "moments", "__call__"])
@pytest.mark.parametrize(
    "states",
    [
        *(torch.zeros(4), torch.zeros(2, 4), torch.zeros(1, 2, 4), torch.zeros(()), np.array("a")),
        *(torch.full((1, 3), torch.nan), torch.full((3,), torch.inf)),
    ],
)
def test_unusable_states_are_an_error(linear_prior, query, states):
    with pytest.raises(DataError, match="states: "):
        getattr(linear_prior, query)(states)


@pytest.mark.parametrize("query", ["mean", "moments", "__call__"])
def test_a_non_finite_result_stops_here(linear_prior, query):
    linear_prior.weight[0, 0] = torch.inf
    with pytest.raises(NumericalError, match=r"prior 'linear': mean is not finite.* for 1 of 1"):
        getattr(linear_prior, query)(torch.ones(1, 3))


def test_a_std_of_zero_stops_here(linear_prior):
    linear_prior.std = 0.0
    with pytest.raises(NumericalError, match="positive for 3 of 3"):
        linear_prior.moments(torch.ones(3, 3))


def test_no_gradient_flows_through_a_prior(linear_prior):
    linear_prior.weight.requires_grad_()
    states = torch.ones(1, 3, requires_grad=True)
    assert not linear_prior.mean(states).requires_grad
    assert not any(moment.requires_grad for moment in linear_prior.moments(states))
    assert not linear_prior(states).log_prob(torch.zeros(1, 2)).requires_grad


def test_a_prior_is_no_module(linear_prior):
    assert not isinstance(linear_prior, torch.nn.Module)
