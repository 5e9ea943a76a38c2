"""Columns that are known once an episode has ended; a method declares those it needs by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from nppac_agents.data.discounting import Discounting
from nppac_agents.parts.advantages import backward_sums


class Stretch(NamedTuple):
    """Transitions of whole episodes, one after the other, and how the method values them."""

    actions: Tensor
    """(N, A)"""
    rewards: Tensor
    """(N,)"""
    ends: Tensor
    """(N,), 1.0 at the last row of an episode"""
    discounting: Discounting


def return_to_go(lived: Stretch) -> Tensor:
    """The discounted return (N, 1) from each row to the end of its episode (Cal-QL's reference).

    What would have come after a time limit is not in it.
    """
    return backward_sums(lived.rewards, lived.discounting.gamma * (1.0 - lived.ends)).unsqueeze(1)


def return_ahead(lived: Stretch) -> Tensor:
    """The sum of the next `horizon` rewards (N, 1), or of those left to the episode (MBOP)."""
    total, rest = lived.rewards.clone(), lived.rewards
    going_on = 1.0 - lived.ends
    for _ in range(lived.discounting.horizon - 1):
        rest = going_on * torch.cat([rest[1:], rest[:1]])
        total += rest
    return total.unsqueeze(1)


def previous_actions(lived: Stretch) -> Tensor:
    """The action (N, A) before each row's, zero where an episode begins (MBOP)."""
    going_on = (1.0 - lived.ends).unsqueeze(1)
    return (going_on * lived.actions).roll(1, 0)


def steps_left(lived: Stretch) -> Tensor:
    """How many rows of its episode follow each row, (N, 1)."""
    return (backward_sums(torch.ones_like(lived.ends), 1.0 - lived.ends) - 1.0).unsqueeze(1)


UNKNOWN = float(torch.finfo(torch.float32).min)
"""What a column of returns holds while its episode goes on: the least of all values."""


class EpisodeColumn(NamedTuple):
    """What a column is."""

    of: Callable[[Stretch], Tensor]
    """Its rows (N, width)"""
    before: float = UNKNOWN
    """What it holds while its episode goes on"""
    of_actions: bool = False
    """Whether its width is that of actions; else it is a number"""


EPISODE_COLUMNS = {
    "return_to_go": EpisodeColumn(return_to_go),
    "steps_left": EpisodeColumn(steps_left),
    "return_ahead": EpisodeColumn(return_ahead),
    "previous_actions": EpisodeColumn(previous_actions, before=0.0, of_actions=True),
}
