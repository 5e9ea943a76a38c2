"""How the runs of a study stand, as a table for a terminal and as plain lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nppac_agents.reporting.durations import duration
from nppac_agents.reporting.measures import NOTHING
from nppac_agents.studies.progress import Progress, State

if TYPE_CHECKING:
    from rich.table import Table

_HEAD = ("run", "state", "env steps", "updates", "success", "time", "left")
_LIVE_HEAD = ("run", "state", "env steps", "success", "time", "left")
_GAP = 3
"""Columns between two cells: the padding of both, and the box"""

_STYLES = {State.RUNNING: "bold", State.GIVEN_UP: "red", State.DONE: "green"}
_FIRST = (State.RUNNING, State.GIVEN_UP, State.INTERRUPTED, State.DONE, State.WAITING)


def rows(found: Mapping[str, Progress]) -> list[list[str]]:
    """A head and a row of cells for each run."""
    return [list(_HEAD), *(_row(name, one) for name, one in found.items())]


def totals(found: Mapping[str, Progress]) -> str:
    """`12 runs: 4 done, 2 running, 6 waiting`."""
    counts = Counter(one.state for one in found.values())
    parts = [f"{counts[state]} {state}" for state in State if counts[state]]
    return f"{len(found)} runs: {', '.join(reversed(parts))}"


def problems(found: Mapping[str, Progress]) -> list[str]:
    """A line for each run that was given up."""
    return [f"{name}: {one.problem}" for name, one in found.items() if one.state is State.GIVEN_UP]


def live_table(found: Mapping[str, Progress], width: int, height: int) -> Table:
    """At most `height` rows: those that run first, then those that went wrong.

    Within `width` columns numbers are rounded, and long names keep their ends, which differ.
    """
    from rich import box
    from rich.table import Table

    ordered = sorted(found.items(), key=lambda item: _FIRST.index(item[1].state))[:height]
    numbers = [[str(one.state), *_rounded(one)] for _, one in ordered]
    others = [max(map(len, column)) for column in zip(_LIVE_HEAD[1:], *numbers, strict=True)]
    room = width - sum(others) - _GAP * len(others)
    table = Table(
        title=totals(found), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False,
        pad_edge=False,
    )  # fmt: skip
    for name in _LIVE_HEAD:
        left = name in ("run", "state")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for (name, one), cells in zip(ordered, numbers, strict=True):
        shown = name if len(name) <= room else "…" + name[len(name) - room + 1 :]
        table.add_row(shown, *cells, style=_STYLES.get(one.state, "dim"))
    if len(found) > height:
        table.caption = f"and {len(found) - height} more"
    return table


def _rounded(one: Progress) -> list[str]:
    """The cells of the live table after the state."""
    steps = f"{_short(one.env_steps)}/{_short(one.total)}" if one.total else NOTHING
    _, _, _, _, success, time, left = _row("", one)
    return [steps, success, time, left]


def _short(count: int) -> str:
    """`950`, `20k`, `1.5M`."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.3g}k" if count < 1_000_000 else f"{count / 1_000_000:.3g}M"


def _row(name: str, one: Progress) -> list[str]:
    steps = f"{one.env_steps:,}/{one.total:,}" if one.total else NOTHING
    left = one.seconds_left
    return [
        name,
        str(one.state),
        steps,
        f"{one.updates:,}",
        one.measured() or NOTHING,
        duration(one.wall_seconds),
        NOTHING if left is None else duration(left),
    ]
