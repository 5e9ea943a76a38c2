"""Tables of the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nppac_priors.health.assessment import Health


_LEAST = 24
"""Characters that a column of words gets, however little the others leave"""


def table(rows: Sequence[Sequence[str]], *, numbers: bool = False, width: int | None = None) -> str:
    """Rows as lines with aligned columns.

    Args:
        rows: All of one length.
        numbers: All columns but the first go to the right.
        width: Characters of a line; words of the last column go on below it.
    """
    if width is not None:
        rows = [part for row in rows for part in _wrapped(row, _room(rows, width))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if numbers and place > 0 else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _room(rows: Sequence[Sequence[str]], width: int) -> int:
    """What the other columns leave for the last."""
    others = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return max(width - sum(others) - 2 * len(others), _LEAST)


def _wrapped(row: Sequence[str], room: int) -> list[list[str]]:
    """A row as several, with the words of its last cell below each other."""
    *others, words = row
    lines = textwrap.wrap(words, room) or [""]
    return [[*others, lines[0]], *([*("" for _ in others), line] for line in lines[1:])]


def health_table(healths: Mapping[str, Health]) -> str:
    """The numbers of all priors, then their verdicts with the rules."""
    from nppac_priors.health.numbers import shown_numbers
    from nppac_priors.health.verdict import SAW_ALL

    rows, group = [["", *healths]], ""
    for number in shown_numbers(healths.values()):
        if number.group != group:
            group = number.group
            rows += [["" for _ in rows[0]], [group, *("" for _ in healths)]]
        rows.append([f"  {number.name}", *(number.text(health) for health in healths.values())])
    verdicts = [
        f"{label}: {health.verdict.word}. {health.verdict.rule}; on held-out episodes "
        f"{health.verdict.on_held_out}." + (f" {SAW_ALL}" if health.saw_held_out else "")
        for label, health in healths.items()
    ]
    return "\n".join([table(rows, numbers=True), "", *verdicts])
