"""Which episodes of the demonstrations are held out, and which rows these are.

Indices only, for demonstrations that are not copied; `episodes.Episodes.hold_out` splits arrays.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from nppac_priors.errors import DataError


def hold_out_rows(
    episode_lengths: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Indices of the rows to fit to, and of those in held-out episodes, both ascending.

    Args:
        episode_lengths: (E,) int64 on the CPU, as `checked_lengths` gives them.
        share: Of the episodes, in [0, 1). Nothing is held out for a share of 0, or of a single
            episode; else at least one episode is, and at least one is not.
        generator: Draws the episodes.
    """
    drawn = hold_out_episodes(len(episode_lengths), share, generator)
    held_out = drawn.repeat_interleave(episode_lengths)
    return (~held_out).nonzero().squeeze(1), held_out.nonzero().squeeze(1)


def hold_out_episodes(episodes: int, share: float, generator: torch.Generator) -> Tensor:
    """Which episodes (E,) are held out, as booleans; the share as in `hold_out_rows`."""
    wanted = max(math.ceil(share * episodes - 1e-9), 1) if share > 0 else 0
    chosen = torch.zeros(episodes, dtype=torch.bool)
    order = torch.randperm(episodes, generator=generator)
    chosen[order[: min(wanted, episodes - 1)]] = True
    return chosen


def checked_lengths(episode_lengths: np.ndarray | Tensor | None, rows: int) -> Tensor:
    """A copy of the episode lengths (E,) as int64; a single episode if None.

    Raises:
        DataError: They are no positive whole numbers, or do not sum to the number of rows.
    """
    if episode_lengths is None:
        return torch.tensor([rows])
    given = episode_lengths.cpu() if isinstance(episode_lengths, Tensor) else episode_lengths
    lengths = np.asarray(given)
    whole = lengths.ndim == 1 and lengths.dtype.kind in "iu"
    if not whole or (lengths < 1).any() or sum(lengths.tolist()) != rows:
        found = f" with sum {sum(lengths.tolist())}" if whole else ""
        raise DataError(
            f"episode_lengths: have to be positive whole numbers that sum to the {rows} steps, "
            f"got {lengths.dtype} of shape {lengths.shape}{found}"
        )
    return torch.from_numpy(lengths.astype(np.int64))
