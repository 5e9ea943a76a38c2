"""How sure one evaluation is of each measure: 95 % intervals over its episodes.

They say what other starts could have given the same policy. Of other training seeds they say
nothing: for that, compare runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from nppac_envs.measures import Measures

from nppac_agents.reporting.measures import BY_FIELD
from nppac_agents.reporting.statistics import Interval, mean, stratified_bootstrap, wilson

_SHARES_OF_EPISODES = ("success_ever", "success_at_end")
_EACH = {
    "solved_fraction": "solved_fraction",
    "time_to_success": "time_to_success",
    "return_mean": "returns",
    "normalised_return": "normalised_returns",
}
"""What an event calls the values of its episodes"""


def episode_intervals(measures: Measures) -> dict[str, Interval | None]:
    """By field of an evaluation event; None where no episode, or no task, has the quantity.

    Shares of episodes have Wilson's interval, means of other quantities a bootstrap's. Draws from
    no generator but its own.
    """
    episodes = len(measures.returns)
    times = measures.time_to_success[measures.success_ever]
    normalised = measures.normalised()
    of_returns = {
        "return_mean": _bootstrap(measures.returns),
        "normalised_return": None if normalised is None else _bootstrap(normalised),
    }
    if not measures.tells_success:
        return {**dict.fromkeys(BY_FIELD), **of_returns}
    return {
        "success_ever": wilson(int(measures.success_ever.sum()), episodes),
        "success_at_end": wilson(int(measures.success_at_end.sum()), episodes),
        "solved_fraction": _bootstrap(measures.solved_fraction),
        "time_to_success": _bootstrap(times) if times.size else None,
        **of_returns,
    }


def event_interval(event: dict[str, Any], field: str) -> Interval | None:
    """The interval of one measure of a logged evaluation.

    Args:
        event: a line of the metrics; some carry their intervals, others the values of their
            episodes.
        field: of the measure.

    Returns:
        None where there is none.
    """
    ends = event.get("intervals", {}).get(field)
    if ends is not None:
        return Interval(*ends)
    if event.get(field) is None:
        return None
    if field in _SHARES_OF_EPISODES:
        return wilson(round(event[field] * event["episodes"]), event["episodes"])
    each = event.get("per_episode", {}).get(_EACH[field]) or ()
    known = np.array([value for value in each if value is not None], dtype=np.float64)
    return _bootstrap(known) if known.size else None


def difference_interval(
    before: tuple[float, Interval | None], after: tuple[float, Interval | None]
) -> Interval:
    """The interval of a difference of two shares or means, by Newcombe's hybrid of their intervals.

    Of intervals of any kind it is the method of variance estimates recovery (Zou and Donner 2008).

    Args:
        before: the share or mean and its interval; without one it is taken as certain.
        after: the same of the other.
    """
    (p, of_p), (q, of_q) = before, after
    p_low, p_high = of_p or (p, p)
    q_low, q_high = of_q or (q, q)
    low = q - p - np.hypot(q - q_low, p_high - p)
    return Interval(float(low), float(q - p + np.hypot(q_high - q, p - p_low)))


def _bootstrap(values: np.ndarray) -> Interval:
    """Of the mean of values (E,)."""
    return stratified_bootstrap([values], mean, generator=np.random.default_rng(0))
