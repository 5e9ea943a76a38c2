"""What a run's `prior_std.json` holds: the prior's std by distance from its demonstrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from nppac_priors import GaussianPrior


def prior_std_curve(
    prior: GaussianPrior, states: NDArray[np.floating], *, generator: torch.Generator
) -> dict[str, Any]:
    """The prior's standard deviation on the demonstrations and away from them.

    As `nppac_priors.health` measures it, at probes of every distance.

    Args:
        prior: fitted.
        states: (N, S), the demonstrations that it was fitted to.
        generator: a CPU generator, for the probes.

    Returns:
        JSON: parallel lists `distance` (0 first, then the geometric means of logarithmic bins),
        `mean_std`, `p10`, `p90` (over states, of the mean standard deviation over action
        dimensions, in the policy space) and `n` (states); `on_data_median`; `dimensions` (those
        that count).

    Raises:
        DataError: `states` do not fit the prior.
        NumericalError: the prior is not finite somewhere.
    """
    from nppac_priors.health.off_data import std_by_distance
    from nppac_priors.health.probes import Distances, make_probes

    probes = make_probes(states, Distances(states), generator=generator)
    _, std = prior.moments(probes.states)
    state_std = std.double().mean(dim=1).cpu().numpy()
    curve = std_by_distance(state_std, probes)
    return {
        "distance": list(curve.distance),
        "mean_std": list(curve.mean_std),
        "p10": list(curve.p10),
        "p90": list(curve.p90),
        "n": list(curve.states),
        "on_data_median": float(np.median(state_std[probes.on_data])),
        "dimensions": probes.dimensions,
    }
