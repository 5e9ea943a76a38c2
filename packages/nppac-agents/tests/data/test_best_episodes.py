"""The best episodes so far: of transitions in time order, and of demonstrations."""

import math
from dataclasses import replace

import pytest
import torch
from nppac_agents.data.best_episodes import FAR, best_episodes, expected_returns
from nppac_agents.data.transitions import Transitions


def episodes(*told):
    """Episodes of (rewards, terminated at the end), their states counted from 100 times each."""
    states, rewards, terminated, truncated = [], [], [], []
    for number, (given, by_itself) in enumerate(told, 1):
        for step, reward in enumerate(given):
            last = step == len(given) - 1
            states.append([100.0 * number + step])
            rewards.append(reward)
            terminated.append(float(last and by_itself))
            truncated.append(float(last and not by_itself))
    column = torch.tensor(states).reshape(-1, 1)
    nothing = column.new_zeros(len(column), 0)
    return Transitions(
        states=column,
        actions=column / 100.0 - 2.5,
        rewards=torch.tensor(rewards, dtype=torch.float32),
        discounts=column.new_ones(len(column)),
        next_states=column + 1,
        terminated=torch.tensor(terminated),
        truncated=torch.tensor(truncated),
        prior_mean=nothing,
        prior_std=nothing,
        next_prior_mean=nothing,
        next_prior_std=nothing,
    )


LIVED = episodes(([0, 0, 0], False), ([0, 1, 1], False), ([0, 0, 1], False), ([1, 1, 1], False))


def numbers(best):
    return [int(state) // 100 for state in best.states[best.lengths.cumsum(0) - 1, 0]]


def test_the_best_come_first_and_share_says_how_many():
    best = best_episodes(LIVED, None, 0.5)
    assert numbers(best) == [4, 2]
    assert best.states[:, 0].tolist() == [400, 401, 402, 200, 201, 202]
    assert best.lengths.tolist() == [3, 3]
    assert best.returns.tolist() == [3, 2]


def test_the_best_are_those_that_return_more_than_others_from_like_starts():
    """Easy starts lie at 0 and hard ones at 1; by the return alone only easy ones were kept."""
    starts = torch.tensor([[0.0], [0.01], [0.02], [1.0], [1.01], [1.02]])
    returns = torch.tensor([9.0, 8.0, 7.0, 1.0, 2.0, 3.0])
    expected = expected_returns(starts, returns)
    like = torch.tensor([7.5, 8.0, 8.5, 2.5, 2.0, 1.5])
    torch.testing.assert_close(expected, like, rtol=0.15, atol=0.0)
    moved = replace(LIVED, states=LIVED.states.clone())
    for row, start in zip((0, 3, 6, 9), (0.0, 1.0, 0.01, 1.01), strict=True):
        moved.states[row] = start
    assert sorted(best_episodes(moved, None, 0.5).returns.tolist()) == [1.0, 3.0]


def test_the_kernel_follows_the_distances_of_starts_in_what_varies_of_them():
    starts = torch.tensor([[0.0, 5.0], [1.0, 5.0], [3.0, 5.0]])
    returns = torch.tensor([1.0, 3.0, 8.0])
    near, next_to, far = (math.exp(-0.5 * 8.0 * square / 4.0) for square in (1.0, 4.0, 9.0))
    found = [
        (near * 3 + far * 8 + FAR * 4) / (near + far + FAR),
        (near * 1 + next_to * 8 + FAR * 4) / (near + next_to + FAR),
        (far * 1 + next_to * 3 + FAR * 4) / (far + next_to + FAR),
    ]
    for unit in (1.0, 100.0):
        expected = expected_returns(unit * starts, returns)
        torch.testing.assert_close(expected, torch.tensor(found), rtol=1e-4, atol=0.0)


def test_what_is_expected_where_nothing_is_near_is_the_mean_of_all():
    starts = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0], [1e4]])
    returns = torch.tensor([1.0, 3.0, 8.0, 2.0, 4.0, 6.0])
    assert expected_returns(starts, returns)[5].item() == pytest.approx(4.0)
    alike = expected_returns(torch.ones(3, 2), torch.tensor([1.0, 3.0, 8.0]))
    torch.testing.assert_close(alike, torch.tensor([5.5, 4.5, 2.0]), rtol=0.01, atol=0.0)
    assert expected_returns(torch.ones(1, 2), torch.tensor([4.0])).tolist() == [4.0]


def test_none_is_as_bad_as_the_worst():
    assert numbers(best_episodes(LIVED, None, 1.0)) == [4, 2, 3]
    alike = episodes(([0, 0], False), ([0, 0], False))
    nothing = best_episodes(alike, None, 1.0)
    assert (len(nothing.states), len(nothing.lengths), len(nothing.returns)) == (0, 0, 0)


def test_actions_are_those_that_the_environment_saw():
    best = best_episodes(LIVED, None, 0.5)
    assert best.actions[:, 0].tolist() == pytest.approx([1, 1, 1, -0.5, -0.49, -0.48])


def test_an_episode_that_was_cut_before_the_time_limit_is_left_out():
    lived = episodes(([5, 5], False), ([0, 0, 1], False), ([4], True), ([0, 0, 0], False))
    assert numbers(best_episodes(lived, None, 1.0)) == [3, 2]


def test_a_demonstration_counts_for_what_it_reached_in_the_time_of_an_own_one_and_is_kept_whole():
    shown = episodes(([0, 0, 0, 9, 9], False), ([0, 1, 1, 9], False))
    best = best_episodes(LIVED, shown, 0.5)
    assert best.returns.tolist() == [3, 2, 2]
    assert best.states[:, 0].tolist() == [400, 401, 402, 200, 201, 202, 200, 201, 202, 203]
    assert best.lengths.tolist() == [3, 3, 4]


def test_nothing_lived_gives_nothing():
    empty = best_episodes(episodes(), LIVED, 1.0)
    assert empty.states.shape == (0, 1)
    assert len(empty.lengths) == 0
