"""How sure one evaluation is of each measure: 95 % intervals over its episodes.

They say what other starts could have given the same policy. Of other training seeds they say
nothing: for that, compare runs.
"""

from __future__ import annotations

import numpy as np
from nppac_envs.measures import Measures

from nppac_agents.reporting.statistics import Interval, mean, stratified_bootstrap, wilson


def episode_intervals(measures: Measures) -> dict[str, Interval | None]:
    """By field of an evaluation event; None where no episode has the quantity.

    Shares of episodes have Wilson's interval, means of other quantities a bootstrap's. Draws from
    no generator but its own.
    """
    episodes = len(measures.returns)
    times = measures.time_to_success[measures.success_ever]
    return {
        "success_ever": wilson(int(measures.success_ever.sum()), episodes),
        "success_at_end": wilson(int(measures.success_at_end.sum()), episodes),
        "solved_fraction": _bootstrap(measures.solved_fraction),
        "time_to_success": _bootstrap(times) if times.size else None,
        "return_mean": _bootstrap(measures.returns),
    }


def _bootstrap(values: np.ndarray) -> Interval:
    """Of the mean of values (E,)."""
    return stratified_bootstrap([values], mean, generator=np.random.default_rng(0))
