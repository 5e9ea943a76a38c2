"""The comparison of methods over seeds as a table: in Markdown, and for a terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nppac_agents.reporting.compared_runs import ComparedRun, Groups, read_groups, told_by
from nppac_agents.reporting.comparison_rows import COSTS, Row, protocol_lines, rows_of
from nppac_agents.reporting.measures import Measure

if TYPE_CHECKING:
    from rich.table import Table


def comparison_table(groups: Groups) -> str:
    """All measures before and after each run, with its cost and config, in Markdown.

    Args:
        groups: directories of finished runs, by method.

    Raises:
        ConfigError: the runs cannot be compared, or one is not finished.
        DataError: a directory is no run, or damaged.
    """
    return table_of(read_groups(groups))


def table_of(runs: Mapping[str, Sequence[ComparedRun]]) -> str:
    """The Markdown table of runs of one task, by method; see `comparison_rows`.

    Raises:
        ConfigError: one is not finished.
    """
    rows, measures = rows_of(runs), told_by(runs)
    head = ["method", "seeds", "", *(f"{m.title} (before → after)" for m in measures)]
    head += [f"{m.title} (reported)" for m in measures] if rows[0].reported else []
    head += COSTS
    lines = [head, ["---"] * len(head), *(_cells(row, measures) for row in rows)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return "\n\n".join([*protocol_lines(runs), table]) + "\n"


def _cells(row: Row, measures: Sequence[Measure]) -> list[str]:
    return [
        row.method.replace("|", "\\|"),
        row.seeds,
        row.statistic,
        *(f"{row.before[m.field]} → {row.after[m.field]}" for m in measures),
        *(row.reported[m.field] for m in measures if row.reported),
        *row.costs,
    ]


def terminal_table(runs: Mapping[str, Sequence[ComparedRun]], width: int) -> str:
    """The same as one small table for each measure, and one of costs, in `width` columns.

    Raises:
        ConfigError: a run is not finished.
    """
    from rich.console import Console

    rows, text = rows_of(runs), io.StringIO()
    console = Console(file=text, width=width, highlight=False)
    for line in protocol_lines(runs):
        console.print(line, markup=False)
    for measure in told_by(runs):
        parts = [row.before for row in rows], [row.after for row in rows]
        names = ["before", "after"]
        if rows[0].reported:
            parts, names = (*parts, [row.reported for row in rows]), [*names, "reported"]
        cells = [[part[measure.field] for part in row] for row in zip(*parts, strict=True)]
        console.print(_small(f"{measure.title} ({measure.note})", names, rows, cells))
    console.print(_small("Cost", COSTS, rows, [row.costs for row in rows]))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _small(
    title: str, names: Sequence[str], rows: Sequence[Row], cells: Sequence[Sequence[str]]
) -> Table:
    """A table of the rows with a few columns of numbers; what is too wide goes over lines."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name in ("method", "seeds", *names):
        table.add_column(name, justify="left" if name == "method" else "right", overflow="fold")
    for row, numbers in zip(rows, cells, strict=True):
        seeds = f"{row.statistic} of {row.seeds}" if row.statistic else row.seeds
        table.add_row(*map(Text, (row.method, seeds, *numbers)))
    return table
