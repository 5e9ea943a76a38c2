"""What critics promise, beside what followed."""

from types import SimpleNamespace

import pytest
import torch
from nppac_agents import parts


def seen(rewards, terminated, truncated):
    columns = [torch.tensor(c, dtype=torch.float32) for c in (rewards, terminated, truncated)]
    names = ("rewards", "terminated", "truncated")
    nothing = torch.zeros(len(rewards), 1)
    return SimpleNamespace(
        **dict(zip(names, columns, strict=True)), states=nothing, actions=nothing
    )


class Known:
    """Two critics whose mean is known."""

    def __init__(self, values, unit=1.0):
        self.values = torch.tensor(values) + torch.tensor([[1.0], [-1.0]])
        self.unit = torch.tensor(unit)

    def __call__(self, states, actions):
        return self.values


TWO_EPISODES = seen([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 0], [0, 0, 0, 1])


def test_what_follows_a_stretch_that_did_not_terminate_is_what_critics_say_of_it():
    values, returns, first = parts.promised_and_returned(
        Known([5.0, 6.0, 7.0, 8.0], unit=2.0), TWO_EPISODES, 0.5
    )
    assert values.tolist() == [10.0, 12.0, 14.0, 16.0]
    assert returns.tolist() == [1 + 0.5 * 2, 2.0, 3 + 0.5 * 12.0, 4 + 0.5 * 16.0]
    assert first.tolist() == [True, False, True, False]


def test_critics_that_know_the_returns_leave_nothing_unexplained():
    ended = seen([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1], [0, 0, 0, 0])
    returns = [2.0, 2.0, 5.0, 4.0]
    assert parts.unexplained(Known(returns), ended, 0.5) == 0.0
    mean = sum(returns) / 4
    assert parts.unexplained(Known([mean] * 4), ended, 0.5) == pytest.approx(1.0)
    assert parts.unexplained(Known([mean + 3.0] * 4), ended, 0.5) > 1.0


def test_where_all_returns_are_equal_there_is_nothing_to_explain():
    ended = seen([1.0, 1.0], [1, 1], [0, 0])
    assert parts.unexplained(Known([7.0, 8.0]), ended, 0.5) == 0.0
