"""Columns that are known once an episode has ended; a method declares those it needs by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nppac_agents.data.discounting import Discounting
from nppac_agents.parts.advantages import backward_sums


def return_to_go(rewards: Tensor, ends: Tensor, discounting: Discounting) -> Tensor:
    """The discounted return (N,) from each row to the end of its episode (Cal-QL's reference).

    What would have come after a time limit is not in it.

    Args:
        rewards: (N,), episode after episode.
        ends: (N,), 1.0 at the last row of an episode.
        discounting: of the method.
    """
    return backward_sums(rewards, discounting.gamma * (1.0 - ends))


def steps_left(rewards: Tensor, ends: Tensor, discounting: Discounting) -> Tensor:
    """How many rows of its episode follow each row, (N,)."""
    return backward_sums(torch.ones_like(ends), 1.0 - ends) - 1.0


UNKNOWN = float(torch.finfo(torch.float32).min)
"""What such a column holds while its episode goes on: the least of all values."""

EPISODE_COLUMNS: dict[str, Callable[[Tensor, Tensor, Discounting], Tensor]] = {
    "return_to_go": return_to_go,
    "steps_left": steps_left,
}
