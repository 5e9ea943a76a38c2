"""Measuring fitted priors: all numbers of the health report, and what its pictures are drawn from.

Priors that are measured together meet the same states, so their numbers compare.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from nppac_priors.errors import DataError
from nppac_priors.health.calibration import (
    COVERAGE_LEVELS,
    Calibration,
    calibration,
    observed_coverage,
)
from nppac_priors.health.forecast import Forecast, forecast
from nppac_priors.health.moments import moments
from nppac_priors.health.off_data import OffData, is_off_data, off_data
from nppac_priors.health.probes import Distances, Probes, make_probes
from nppac_priors.health.verdict import Verdict, verdict
from nppac_priors.health.visited import MOST, Visited, visited
from nppac_priors.thinning import evenly

if TYPE_CHECKING:
    from nppac_priors.episodes import HeldOutSplit
    from nppac_priors.prior import Prior

OFF_DATA_PERCENTILE = 95
"""Off the data: farther from the fitted states than this share of held-out states is."""
_THRESHOLD_STATES = 2000


@dataclass(frozen=True)
class Health:
    """All numbers on one prior.

    Attributes:
        verdict: In words.
        saw_held_out: It was fitted to the whole set, so that `held_out` flatters it.
        held_out: On episodes that it was not fitted to, if it did not see the whole set.
        demonstrated: Share of the actions that it was fitted to within its central intervals, by
            their nominal coverage 0.5, 0.9, 0.95.
        off_data: Away from the demonstrations.
        visited: Where the mean of a prior goes; None where that was not recorded.
        forecast_on_data: KL and gradient norm on demonstration states.
        forecast_off_data: The same off the data.
        query_microseconds: Time for one state, in batches of 1,024, as measured once here, after a
            first query.
    """

    verdict: Verdict
    saw_held_out: bool
    held_out: Calibration
    demonstrated: dict[float, float]
    off_data: OffData
    visited: Visited | None
    forecast_on_data: Forecast
    forecast_off_data: Forecast
    query_microseconds: float


class Examination:
    """The states that all priors of a comparison are asked about.

    Attributes:
        split: Fitted and held-out episodes.
        probes: States at every distance from the fitted ones.
        off_data_from: The distance at which a state is off the data.
        visited: (M, S) states that a prior's mean visits, or None.
    """

    def __init__(
        self,
        split: HeldOutSplit,
        *,
        generator: torch.Generator,
        visited: NDArray[np.float32] | None = None,
    ) -> None:
        """Draw the states; `visited` are given.

        Raises:
            DataError: The fitted states are all the same.
        """
        distances = Distances(split.fitted.states)
        if not distances.moving.any():
            raise DataError("states: all dimensions are constant, so no state is off the data")
        self.split = split
        self.probes: Probes = make_probes(split.fitted.states, distances, generator=generator)
        states = split.held_out.states
        drawn = torch.randperm(len(states), generator=generator)[:_THRESHOLD_STATES].numpy()
        distance = distances.nearest(states[drawn])
        self.off_data_from = float(np.percentile(distance, OFF_DATA_PERCENTILE))
        self.visited = visited
        self._visited_distance = None if visited is None else distances.nearest(visited)

    def examine(self, prior: Prior) -> Health:
        """Measure one prior.

        Raises:
            DataError: The prior is for other dimensions, or was fitted to other episodes.
            NumericalError: It is not finite somewhere.
        """
        check_fits(prior, self.split)
        moments(prior, self.split.held_out.states[:1])  # a prior from a file may factorise first
        started = time.perf_counter()
        mean, std = moments(prior, self.split.held_out.states)
        seconds = time.perf_counter() - started
        held_out = calibration(mean, std, torch.from_numpy(self.split.held_out.actions))
        probe_std = moments(prior, self.probes.states)[1].double()
        away = off_data(probe_std.mean(dim=1).numpy(), self.probes, self.off_data_from)
        went = self._visited(prior, away.on_data_median_std)
        on = torch.from_numpy(self.probes.on_data)
        off = torch.from_numpy(is_off_data(self.probes, self.off_data_from))
        policy_std = probe_std[on].median(dim=0).values
        return Health(
            verdict=verdict(
                collapse_score=away.collapse_score,
                growth_ratio=away.growth_ratio,
                honesty_ratio=away.off_data_median_std / held_out.rmse_of_dimensions,
                coverage_90=held_out.coverage[0.9],
                visited=None if went is None else went.judged_by(held_out.rmse_of_dimensions),
            ),
            saw_held_out=prior.data_hash == self.split.whole_hash,
            held_out=held_out,
            demonstrated=self._demonstrated(prior),
            off_data=away,
            visited=went,
            forecast_on_data=forecast(probe_std[on], policy_std),
            forecast_off_data=forecast(probe_std[off], policy_std),
            query_microseconds=1e6 * seconds / len(mean),
        )

    def _demonstrated(self, prior: Prior) -> dict[float, float]:
        """Coverage of the fitted actions, thinned out evenly where they are many."""
        fitted = self.split.fitted
        rows = evenly(len(fitted), MOST)
        mean, std = (moment.double() for moment in moments(prior, fitted.states[rows]))
        scores = ((torch.from_numpy(fitted.actions[rows]).double() - mean) / std).abs()
        found = observed_coverage(scores, COVERAGE_LEVELS)
        return dict(zip(COVERAGE_LEVELS, found, strict=True))

    def _visited(self, prior: Prior, on_median: float) -> Visited | None:
        if self.visited is None or self._visited_distance is None:
            return None
        std = moments(prior, self.visited)[1].double().mean(dim=1).numpy()
        return visited(std, self._visited_distance, self.off_data_from, on_median)


def assess(prior: Prior, split: HeldOutSplit, *, generator: torch.Generator) -> Health:
    """Measure one prior; `Examination` measures several on the same states.

    Args:
        prior: Fitted to `split.fitted`, or to the whole set.
        split: As `Episodes.hold_out` gives it.
        generator: A CPU generator that draws the states off the data.

    Raises:
        DataError: The prior is for other dimensions, or was fitted to other episodes.
        NumericalError: It is not finite somewhere.
    """
    return Examination(split, generator=generator).examine(prior)


def check_fits(prior: Prior, split: HeldOutSplit) -> Prior:
    """The prior, after a check that it was fitted to the episodes not held out, or to all of them.

    Raises:
        DataError: It is for other dimensions, or was fitted to other data.
    """
    kind, fitted = prior.config.kind, split.fitted
    left, out = len(fitted.episode_lengths), len(split.held_out_indices)
    dimensions = fitted.states.shape[1], fitted.actions.shape[1]
    if (prior.state_dim, prior.action_dim) != dimensions:
        raise DataError(
            f"prior {kind!r} maps {prior.state_dim} state dimensions to {prior.action_dim} "
            f"actions, the demonstrations have {dimensions[0]} and {dimensions[1]}"
        )
    if prior.data_hash and prior.data_hash not in (fitted.data_hash, split.whole_hash):
        raise DataError(
            f"prior {kind!r} was fitted neither to all {left + out} episodes nor to the {left} "
            f"that are left when the others are held out; fit it with the same data, seed and "
            f"share of held-out episodes"
        )
    return prior
