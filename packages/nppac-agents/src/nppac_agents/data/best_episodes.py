"""The best episodes so far, demonstrated or lived through: what a prior can be fitted to anew.

Best are those that return more than was to be expected where they began. By the return alone a
prior would learn what to do at easy starts, and forget the others.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from nppac_agents.data.transitions import Transitions

LEAST_DEVIATION = 1e-4
"""Dimensions of starts that vary less tell none from another."""
NARROWER = 8.0
"""The median squared distance over the kernel's squared width"""
FAR = 1e-3
"""The weight of the mean of all episodes, beside 1 for one that began in the same state"""


class Episodes(NamedTuple):
    """Whole episodes, one after the other."""

    states: Tensor
    """(N, S)"""
    actions: Tensor
    """(N, A), clipped to [-1, 1] as the environment saw them"""
    lengths: Tensor
    """(E,) int64, with sum N"""
    returns: Tensor
    """(E,), undiscounted, of as many steps as the longest own episode has"""


def best_episodes(lived: Transitions, shown: Transitions | None, share: float) -> Episodes:
    """The best for their start, at most `share` of all; none that returns as little as the worst.

    Of the interaction those count that ended by themselves or at the time limit, which is where
    the longest ended; a demonstration counts for what it had reached by then, and is kept whole.

    Args:
        lived: episodes of the interaction that have ended, one after the other.
        shown: the demonstrations alike, with their rewards; None leaves them out.
        share: in (0, 1].
    """
    own = _split(lived)
    if not own:
        return _joined([], lived, lived.rewards[:0])
    longest = max(len(rows) for rows in own)
    own = [r for r in own if lived.terminated[r[-1]] > 0 or len(r) == longest]
    pool = [(lived, rows) for rows in own]
    if shown is not None:
        pool += [(shown, rows) for rows in _split(shown)]
    returns = torch.stack([part.rewards[rows[:longest]].sum() for part, rows in pool])
    starts = torch.stack([part.states[rows[0]] for part, rows in pool])
    advantages = returns - expected_returns(starts, returns)
    kept = advantages.argsort(descending=True, stable=True)[: int(share * len(pool))]
    kept = kept[returns[kept] > returns.min()]
    return _joined([pool[index] for index in kept.tolist()], lived, returns[kept])


def expected_returns(starts: Tensor, returns: Tensor) -> Tensor:
    """What the other episodes returned that began alike, (E,): a mean weighted by a normal kernel.

    Its width follows the distances between starts, in deviations of the dimensions that vary. Where
    no other start is near, the mean of all takes its place.

    Args:
        starts: (E, S).
        returns: (E,).
    """
    deviations = starts.std(0, unbiased=False)
    varied = deviations > LEAST_DEVIATION
    scaled = starts[:, varied] / deviations[varied]
    squares = (scaled[:, None] - scaled[None]).square().sum(2)
    apart = squares[squares > 0]
    width = apart.median() / NARROWER if len(apart) else squares.new_ones(())
    weights = (-0.5 * squares / width).exp().fill_diagonal_(0.0)
    return (weights @ returns + FAR * returns.mean()) / (weights.sum(1) + FAR)


def _split(transitions: Transitions) -> list[Tensor]:
    """The rows of each episode; those after the last end belong to none."""
    ends = transitions.terminated.maximum(transitions.truncated).nonzero().squeeze(1) + 1
    edges = [0, *ends.tolist()]
    rows = torch.arange(edges[-1], device=ends.device)
    return list(rows.split([b - a for a, b in itertools.pairwise(edges)]))


def _joined(
    episodes: list[tuple[Transitions, Tensor]], like: Transitions, returns: Tensor
) -> Episodes:
    def every(column: str) -> Tensor:
        empty = getattr(like, column)[:0]
        return torch.cat([empty, *(getattr(part, column)[rows] for part, rows in episodes)])

    return Episodes(
        every("states"),
        every("actions").clamp(-1.0, 1.0),
        torch.tensor([len(rows) for _, rows in episodes], dtype=torch.int64),
        returns,
    )
