"""Tables of the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nppac_priors.health.assessment import Health


def table(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> str:
    """Rows as lines with aligned columns; with `numbers`, all but the first to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if numbers and place > 0 else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def health_table(healths: Mapping[str, Health]) -> str:
    """The numbers of all priors, then their verdicts with the rules."""
    from nppac_priors.health.numbers import shown_numbers

    rows, group = [["", *healths]], ""
    for number in shown_numbers(healths.values()):
        if number.group != group:
            group = number.group
            rows += [["" for _ in rows[0]], [group, *("" for _ in healths)]]
        rows.append([f"  {number.name}", *(number.text(health) for health in healths.values())])
    verdicts = [
        f"{label}: {health.verdict.word}. {health.verdict.rule}; on held-out episodes "
        f"{health.verdict.on_held_out}."
        for label, health in healths.items()
    ]
    return "\n".join([table(rows, numbers=True), "", *verdicts])
