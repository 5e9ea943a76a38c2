"""Rows as text, for a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterable


def table(rows: Iterable[Iterable[str]]) -> str:
    """Lines with columns aligned to the right, the first one to the left."""
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *rest in cells:
        columns = [first.ljust(widths[0])]
        columns += [text.rjust(width) for text, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join(columns).rstrip())
    return "\n".join(lines)
