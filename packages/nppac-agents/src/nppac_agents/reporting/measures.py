"""The six measures of an evaluation, as figures and tables name and print them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "–"


@dataclass(frozen=True)
class Measure:
    """How one measure is shown.

    Attributes:
        field: its name in an evaluation event.
        title: its name in words.
        note: its unit, in a few words.
        meaning: its definition, as half a sentence.
        is_rate: a share, in [0, 1].
    """

    field: str
    title: str
    note: str
    meaning: str
    is_rate: bool

    @property
    def form(self) -> str:
        """Format specification of its values: two decimals for a rate, else one."""
        return ".2f" if self.is_rate else ",.1f"

    @property
    def of_success(self) -> bool:
        """Whether it means something only where the task knows what a success is."""
        return self.field not in ("return_mean", "normalised_return")

    def signed(self, change: float) -> str:
        """A change of the measure, with its sign."""
        return format(change, f"+{self.form}").replace("-", "−")

    def shown(self, value: float | None, interval: Sequence[float] | None = None) -> str:
        """`0.93`, `0.93 [0.88, 0.96]`, or a dash for a value that there is not."""
        if value is None:
            return NOTHING
        text = format(value, self.form)
        if interval is None:
            return text
        low, high = (format(end, self.form) for end in interval)
        return f"{text} [{low}, {high}]"


MEASURES = (
    Measure(
        "success_ever",
        "Success at any step",
        "share of episodes",
        "share of episodes with a success at any step",
        True,
    ),
    Measure(
        "success_at_end",
        "Success at the end",
        "share of episodes",
        "share of episodes that end in success",
        True,
    ),
    Measure(
        "solved_fraction",
        "Solved fraction",
        "share of steps",
        "share of steps that are a success",
        True,
    ),
    Measure(
        "time_to_success",
        "Steps to success",
        "mean of solved episodes",
        "mean steps until the first success, of the episodes that have one",
        False,
    ),
    Measure(
        "return_mean", "Return", "mean of episodes", "mean sum of rewards, undiscounted", False
    ),
    Measure(
        "normalised_return",
        "Normalised return",
        "0 random, 100 expert",
        "mean return, 0 that of a random policy and 100 that of an expert as the task states them",
        False,
    ),
)
"""In the order in which they are shown."""
_SHARES_OF_SUCCESS = {measure.field for measure in MEASURES if measure.is_rate}


def told(evaluations: Iterable[Mapping[str, Any]]) -> tuple[Measure, ...]:
    """The measures that some evaluations have: the return, and what any of them tells beside it."""
    events = list(evaluations)
    success = any(one.get("success_ever") is not None for one in events)
    normalised = any(one.get("normalised_return") is not None for one in events)
    has = {"normalised_return": normalised, "return_mean": True}
    return tuple(measure for measure in MEASURES if has.get(measure.field, success))


def told_throughout(
    events: Sequence[Mapping[str, Any]], *, told_elsewhere: bool = False
) -> list[dict[str, Any]]:
    """Events in which shares of success that nobody told are 0, if any other tells success.

    A task may tell success in the very step in which it happens and in no other, so that an
    evaluation without any looks like one of a task that knows none.

    Args:
        events: of one run, or of runs of one task.
        told_elsewhere: whether runs of this task beside these tell success.
    """
    if not told_elsewhere and all(event.get("success_ever") is None for event in events):
        return [dict(event) for event in events]
    return [
        {k: 0.0 if k in _SHARES_OF_SUCCESS and v is None else v for k, v in event.items()}
        for event in events
    ]


def headline(*evaluations: Mapping[str, Any]) -> tuple[Measure, ...]:
    """What stands for each of some evaluations: success at any step and at the end, or the return.

    Success only where all of them tell it.
    """
    if any(one.get("success_ever") is None for one in evaluations):
        return (BY_FIELD["return_mean"],)
    return MEASURES[:2]


BY_FIELD = {measure.field: measure for measure in MEASURES}
