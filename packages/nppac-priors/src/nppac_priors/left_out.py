"""Standard deviations at demonstrated states by a prior that was fitted without their episode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nppac_priors.errors import ConfigError
from nppac_priors.progress import Progress

if TYPE_CHECKING:
    from nppac_priors.prior import GaussianPrior
    from nppac_priors.progress import ProgressCallback

MOST_FITS = 10
"""Fits of a kind that has to be fitted again: more episodes than that are left out in groups."""

Fit = Callable[[Tensor], "GaussianPrior"]
"""From the rows that stay, (n,) indices, to a prior fitted to these."""


def by_fits(
    states: np.ndarray | Tensor,
    episode_lengths: Tensor,
    fit: Fit,
    progress: ProgressCallback | None,
    most: int = MOST_FITS,
) -> Tensor:
    """Standard deviations (N, A), each group of episodes judged by a fit without it.

    Args:
        states: (N, S).
        episode_lengths: (E,) that sum to N.
        fit: Fits the prior to some rows.
        progress: Called after every group.
        most: Groups at most.

    Raises:
        ConfigError: There is a single episode.
    """
    groups = list(_groups(episode_lengths, most))
    values = torch.as_tensor(states)
    left_out: list[tuple[Tensor, Tensor]] = []
    for done, rows in enumerate(groups, start=1):
        stays = torch.ones(len(values), dtype=torch.bool)
        stays[rows] = False
        left_out.append((rows, fit(stays.nonzero().squeeze(1)).moments(values[rows])[1].cpu()))
        if progress is not None:
            progress(Progress("leave out", done, len(groups), {}))
    std = torch.empty(len(values), left_out[0][1].shape[1])
    for rows, part in left_out:
        std[rows] = part
    return std


def require_episodes(episode_lengths: Tensor) -> None:
    """Refuse to leave out the only episode.

    Raises:
        ConfigError: There is a single one.
    """
    if len(episode_lengths) < 2:
        raise ConfigError("there is a single demonstrated episode; to leave one out takes two")


def _groups(episode_lengths: Tensor, most: int) -> Iterator[Tensor]:
    """The rows of each group; neighbouring episodes, which may be alike, are in one group."""
    require_episodes(episode_lengths)
    count = min(len(episode_lengths), most)
    group = torch.arange(len(episode_lengths)) * count // len(episode_lengths)
    of_row = group.repeat_interleave(episode_lengths)
    for number in range(count):
        yield (of_row == number).nonzero().squeeze(1)
