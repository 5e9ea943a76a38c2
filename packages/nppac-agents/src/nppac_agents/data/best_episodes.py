"""The best episodes so far, demonstrated or lived through: what a prior can be fitted to anew."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

from nppac_agents.data.transitions import Transitions


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
    """The best by their return, at most `share` of all; none as bad as the worst of all.

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
    kept = returns.argsort(descending=True, stable=True)[: int(share * len(pool))]
    kept = kept[returns[kept] > returns.min()]
    return _joined([pool[index] for index in kept.tolist()], lived, returns[kept])


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
