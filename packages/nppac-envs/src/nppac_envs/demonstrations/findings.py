"""`Finding`: what `doctor` says, and how it names episodes and parts of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray


@final
@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        level: "error" cannot be used as it is; "warning" will usually hurt; "note" is good to know.
        topic: Which check, two words or so.
        text: What was found, and in which episodes.
        advice: What to do, an option of `nppac-demos convert` where there is one.
    """

    level: Literal["error", "warning", "note"]
    topic: str
    text: str
    advice: str


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


def exclude_option(numbers: Iterable[int], excluded: set[int]) -> str:
    """The option that leaves these episodes out, and those that are left out already."""
    return f"--exclude {','.join(str(n) for n in sorted({*map(int, numbers), *excluded}))}"


def left_out_finding(names: Iterable[str]) -> Finding:
    """That parts of a file which look like state are not read."""
    listed = ", ".join(names)
    return Finding(
        "note",
        "left out",
        f"not read, though it may belong to the state: {listed}",
        "name all that belongs to the state, with commas: --map states=...",
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
    shown = [
        f"episode {owner[row]}, step {row - starts[owner[row]]} ({taken[row]:.4g})"
        for row in holes[:4].tolist()
    ]
    bad = np.unique(owner[holes])
    yield Finding(
        "warning",
        "holes in time",
        f"{len(holes):,} steps do not take {usual:.4g} as the others do, so that what is between "
        f"two states is no step: {'; '.join(shown)}{'; ...' if len(holes) > 4 else ''}",
        f"leave them out: {exclude_option(bad, excluded)}"
        if len(bad) + len(excluded) < len(lengths)
        else "write the set again with a new episode after each hole",
    )
