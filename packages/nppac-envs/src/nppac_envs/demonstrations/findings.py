"""`Finding`: what `doctor` says, and how it names episodes and parts of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.advice import ADVICE
from nppac_envs.errors import option_words

Options = Mapping[str, Any]
"""Options of `nppac-demos` by their names, a list for commas, a tuple for several words."""


@final
@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        level: "error" cannot be used as it is; "warning" will usually hurt; "note" is good to know.
        topic: Which kind, a key of `ADVICE`.
        text: What was found, and in which episodes.
        remedies: What ends it, each one some options of `nppac-demos convert` (those that begin
            with `first_seed` are of `doctor`), of which the first has words in `ADVICE`; none
            where there is only something to know.
    """

    level: Literal["error", "warning", "note"]
    topic: str
    text: str
    remedies: tuple[Options, ...] = ()

    def __post_init__(self) -> None:
        """Raises KeyError where `ADVICE` has no words for it."""
        self.steps()

    def steps(self) -> list[tuple[str, Options]]:
        """What to do in words, and the options that do it; the options are empty if none can."""
        words = ADVICE[self.topic]
        return [(words[next(iter(options), "")], options) for options in self.remedies or ({},)]

    @property
    def advice(self) -> str:
        """All of that in a line."""
        return "; ".join(
            ": ".join([words, *([in_options(options)] if options else [])])
            for words, options in self.steps()
        )


def in_options(options: Options) -> str:
    """`--exclude 1,3`, for people."""
    return " ".join(word for item in options.items() for word in option_words(*item))


def episode_list(episodes: Iterable[int]) -> str:
    """`episode 3`, or `episodes 0 to 4, 7`; at most eight numbers or ranges are named."""
    numbers = sorted(int(episode) for episode in episodes)
    breaks = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    ranges = []
    for start, end in zip([0, *breaks], [*breaks, len(numbers)], strict=True):
        first, last = numbers[start], numbers[end - 1]
        if last - first < 2:
            ranges += [str(number) for number in range(first, last + 1)]
        else:
            ranges.append(f"{first} to {last}")
    shown = ", ".join(ranges[:8]) + (", ..." if len(ranges) > 8 else "")
    return f"episode{'s' if len(numbers) > 1 else ''} {shown}"


def leaving_out(numbers: Iterable[int], excluded: set[int]) -> Options:
    """Leaves out these episodes, and those that are left out already."""
    return {"exclude": sorted({*map(int, numbers), *excluded})}


def cutting(places: Iterable[tuple[int, int]]) -> Options:
    """Begins a new episode after each of these steps, each an episode and its step."""
    return {"cut": [f"{episode}:{step}" for episode, step in places]}


def spanning(actions: NDArray[Any]) -> Options:
    """Maps onto [-1, 1] what actions (N, A) have been: their largest on both sides of 0.

    If no dimension has both signs, it is the lowest and the highest of each.
    """
    with np.errstate(over="ignore"):
        known = np.nan_to_num(actions.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = known.min(axis=0), known.max(axis=0)
    if ((low < 0) & (high > 0)).any():
        bound = float(str(np.abs(known).max()))
        return {"action_range": (-bound, bound)}
    still = low == high
    bounds = np.where(still, low - 1, low), np.where(still, high + 1, high)
    # The shortest decimals that are the same float32.
    return {"action_range": tuple([float(str(x)) for x in bound] for bound in bounds)}


def left_out_finding(names: Sequence[str], states: Sequence[str] = ()) -> Finding:
    """That parts of a file which look like state are not read.

    Args:
        names: Of these parts.
        states: What to name so that they are; nothing where naming does not do.
    """
    return Finding(
        "note",
        "left out",
        f"not read, though it may belong to the state: {', '.join(names)}",
        ({"fields": {"states": ",".join(states)}},) if states else (),
    )


def holes_finding(
    times: NDArray[Any], lengths: NDArray[np.int64], usual: float, excluded: set[int]
) -> Iterator[Finding]:
    """Steps that take far longer than others, or that go back in time.

    Args:
        times: (N,) of each row, in any unit.
        lengths: (E,) rows of each episode.
        usual: The time that a step should take.
        excluded: Episodes that are left out already, and in which nothing is looked for.
    """
    owner = np.repeat(np.arange(len(lengths)), lengths)
    taken = np.diff(times)
    inside = (owner[1:] == owner[:-1]) & ~np.isin(owner[1:], [*excluded])
    holes = np.flatnonzero(inside & ((taken > 1.5 * usual) | (taken <= 0)))
    if not holes.size:
        return
    starts = np.cumsum(lengths) - lengths
    places = [(int(owner[row]), int(row - starts[owner[row]])) for row in holes]
    shown = [
        f"episode {episode}, step {step} ({taken[row]:.4g})"
        for row, (episode, step) in zip(holes[:4], places[:4], strict=True)
    ]
    bad = np.unique(owner[holes])
    some = len(bad) + len(excluded) < len(lengths)
    yield Finding(
        "warning",
        "holes in time",
        f"{len(holes):,} steps do not take {usual:.4g} as the others do, so that what is between "
        f"two states is no step: {'; '.join(shown)}{'; ...' if len(holes) > 4 else ''}",
        (*([leaving_out(bad, excluded)] if some else []), cutting(places)),
    )
