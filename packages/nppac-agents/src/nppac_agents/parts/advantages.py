"""Advantages and returns of episodes in time order, as on-policy methods learn from them.

Rows follow each other as they happened, episode after episode; a row whose `ends` is 1 is the
last one of its episode, or the last one known of it.
"""

from __future__ import annotations

import torch
from torch import Tensor


def generalised_advantages(errors: Tensor, ends: Tensor, decay: float) -> Tensor:
    """GAE(lambda) (Schulman et al. 2016): sums of TD errors that decay by gamma lambda, (B,).

    Args:
        errors: r + gamma (1 - d) V(s') - V(s), (B,); at an end that did not terminate, V(s') is
            what the rest is worth.
        ends: (B,), 1.0 at the last row of an episode.
        decay: gamma lambda; with lambda = 1 the advantages are the returns less the values.
    """
    return backward_sums(errors, decay * (1.0 - ends))


def backward_sums(terms: Tensor, factors: Tensor) -> Tensor:
    """y_t = x_t + f_t y_{t+1}, (B,), of terms x and factors f (B,); nothing follows the last.

    Sums of 1, 2, 4, ... rows, each of two halves: log B operations, none of them on the host.
    """
    sums, weights, reach = terms.double(), factors.double(), 1
    while reach < len(terms):
        further = weights[: len(terms) - reach] * sums[reach:]
        sums = torch.cat([sums[:-reach] + further, sums[-reach:]])
        weights = weights[:-reach] * weights[reach:]
        reach *= 2
    return sums.to(terms.dtype)


def standardised(advantages: Tensor, floor: float) -> Tensor:
    """Advantages (N,) with mean 0 and deviation 1; `floor` is added to the deviation."""
    deviation = advantages.std(correction=0)
    return (advantages - advantages.mean()) / (deviation + floor)


def steps_since_start(ends: Tensor) -> Tensor:
    """For each row (B,) the number of rows of its episode before it, in the dtype of `ends`."""
    rows = torch.arange(len(ends), device=ends.device)
    starts_here = torch.cat([ends.new_ones(1), ends[:-1]]) > 0
    starts = torch.where(starts_here, rows, 0).cummax(0).values
    return (rows - starts).to(ends.dtype)
