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


def live_table(found: Mapping[str, Progress], height: int) -> Table:
    """At most `height` rows: those that run first, then those that went wrong."""
    from rich import box
    from rich.table import Table

    table = Table(title=totals(found), title_justify="left", box=box.SIMPLE_HEAD)
    for name in _HEAD:
        table.add_column(name, justify="left" if name in ("run", "state") else "right")
    ordered = sorted(found.items(), key=lambda item: _FIRST.index(item[1].state))
    for name, one in ordered[:height]:
        table.add_row(*_row(name, one), style=_STYLES.get(one.state, "dim"))
    if len(ordered) > height:
        table.caption = f"and {len(ordered) - height} more"
    return table


def _row(name: str, one: Progress) -> list[str]:
    steps = f"{one.env_steps:,}/{one.total:,}" if one.total else NOTHING
    left = one.seconds_left
    return [
        name,
        str(one.state),
        steps,
        f"{one.updates:,}",
        NOTHING if one.success is None else f"{one.success:.2f}",
        duration(one.wall_seconds),
        NOTHING if left is None else duration(left),
    ]
