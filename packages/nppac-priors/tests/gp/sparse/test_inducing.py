from __future__ import annotations

import torch
from nppac_priors.gp.kernels import PointKernel, covariance_matrix
from nppac_priors.gp.sparse.inducing import choose_inducing_points

ONES = torch.ones(2, dtype=torch.float64)


def _states(n: int = 60) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0)).double()


def _remaining_variance(points: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """k(s, s) - k(s, Z) k(Z, Z)^-1 k(Z, s) by a dense solve."""
    between = PointKernel("matern32", points, ONES)(states)
    solved = torch.linalg.solve(covariance_matrix("matern32", points, ONES), between.T)
    return 1.0 - (between * solved.T).sum(1)


def test_each_point_is_the_state_that_the_ones_before_explain_least() -> None:
    states = _states()
    chosen = choose_inducing_points("matern32", states, ONES, 8)
    for count in range(1, 8):
        remaining = _remaining_variance(chosen[:count], states)
        assert torch.equal(states[remaining.argmax()], chosen[count])


def test_an_important_states_variance_counts_more() -> None:
    states, importance = _states(), torch.rand(60, generator=torch.Generator().manual_seed(1))
    chosen = choose_inducing_points("matern32", states, ONES, 8, importance)
    assert torch.equal(states[importance.argmax()], chosen[0])
    for count in range(1, 8):
        remaining = _remaining_variance(chosen[:count], states) * importance
        assert torch.equal(states[remaining.argmax()], chosen[count])


def test_duplicates_are_chosen_once_and_all_states_if_there_are_few() -> None:
    states = _states(10)
    chosen = choose_inducing_points("matern32", states.repeat(3, 1), ONES, 25)
    assert sorted(chosen.tolist()) == sorted(states.tolist())


def test_one_state_is_one_point() -> None:
    assert choose_inducing_points("rbf", _states(1), ONES, 5).shape == (1, 2)
