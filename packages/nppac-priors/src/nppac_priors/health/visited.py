"""What a prior claims at states that a mean visits, its own or another's: no random moves.

A stationary process is healthy by construction on moves in all directions: far from every
demonstration its standard deviation is that of its kernel. Where its own actions lead is another
question: along few dimensions, and not far.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_priors.errors import DataError
from nppac_priors.thinning import evenly

Array = NDArray[np.float64]

FEWEST = 20
"""Fewer visited states off the data than this decide nothing."""
MOST = 5000
"""More states than this are thinned out evenly."""


@dataclass(frozen=True)
class Visited:
    """Of visited states; a state's std is the mean over action dimensions.

    Attributes:
        states: How many were asked about.
        off_data: Share of them that is off the data.
        median_std: Median over those off the data; None where these are fewer than 20.
        growth_ratio: That over the median on the data.
        collapse_score: Share of those off the data whose std is below the on-data median.
    """

    states: int
    off_data: float
    median_std: float | None
    growth_ratio: float | None
    collapse_score: float | None

    def judged_by(self, error: float) -> tuple[float, float, float] | None:
        """Collapse score, growth ratio and honesty ratio, given the held-out error; None for few.

        Args:
            error: Held-out RMSE, averaged over dimensions.
        """
        if self.collapse_score is None or self.growth_ratio is None or self.median_std is None:
            return None
        return self.collapse_score, self.growth_ratio, self.median_std / error


def visited(state_std: Array, distance: Array, off_data_from: float, on_median: float) -> Visited:
    """Measure what a prior claims where it went.

    Args:
        state_std: (M,), the prior's std at visited states, averaged over action dimensions.
        distance: (M,), of these to the nearest demonstration state.
        off_data_from: Distance at which a state is off the data.
        on_median: Median std over demonstration states.
    """
    off = state_std[distance > off_data_from]
    share = len(off) / len(state_std)
    if len(off) < FEWEST:
        return Visited(len(state_std), share, None, None, None)
    median = float(np.median(off))
    score = float((off < on_median).mean())
    return Visited(len(state_std), share, median, median / on_median, score)


def read_visited(path: Path, state_dim: int) -> NDArray[np.float32]:
    """(M, S) visited states: the array `states` of an npz file, as `nppac-run record --all` writes.

    Raises:
        DataError: There is no such file, or its states are not finite numbers of this size.
    """
    from nppac_priors.episodes import read_arrays

    states: NDArray[Any] = read_arrays(path, ("states",))["states"]
    if states.ndim != 2 or states.shape[1] != state_dim or states.dtype.kind not in "iuf":
        raise DataError(
            f"{path}: states have shape {states.shape}, and the data have {state_dim} dimensions; "
            "visited states are of the same task"
        )
    if not len(states) or not np.isfinite(states).all():
        raise DataError(f"{path}: states must be some, and finite")
    return states[evenly(len(states), MOST)].astype(np.float32)
