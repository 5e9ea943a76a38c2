"""The report's HTML elements; whatever comes from a file is escaped here."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from nppac_agents.reporting.panels import Panel, single_figure
from nppac_agents.reporting.rendering import figure_svg
from nppac_agents.reporting.run_files import Logged

NOTHING = '<span class="nothing">–</span>'


def metric(logged: Logged, field: str, text: str) -> str:
    """A number from the metrics file: shown as `text`, with where it is from and its full value."""
    return (
        f'<data value="{json.dumps(logged.event[field])}" data-source="metrics" '
        f'data-event="{logged.line}" data-field="{escape(field)}">{escape(text)}</data>'
    )


def section(title: str, *content: str) -> str:
    """A part of the page under a heading."""
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(content) + "\n</section>"


def paragraph(text: str, kind: str = "note") -> str:
    """A paragraph of the class `kind`; `text` is HTML already."""
    return f'<p class="{kind}">{text}</p>'


def notice(text: str) -> str:
    """Something that is missing or went wrong, in plain words."""
    return paragraph(escape(text), "notice")


def panel_svg(panel: Panel, group: str) -> str:
    """A panel as a picture; `group` keeps panels with one key apart."""
    return figure_svg(single_figure(panel), f"{group}-{panel.key}", panel.description)


def panel_grid(panels: Sequence[Panel], *, group: str, aside: str = "") -> str:
    """Panels that flow into as many columns as fit, and a last cell `aside` of HTML."""
    cells = [panel_svg(panel, group) for panel in panels]
    if aside:
        cells.append(f'<div class="aside">{aside}</div>')
    return '<div class="panels">\n' + "\n".join(cells) + "\n</div>"


def image(png: bytes, description: str) -> str:
    """A picture within the page."""
    data = base64.b64encode(png).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{escape(description)}">'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, name: str, kind: str = "") -> str:
    """A table that scrolls within itself where it is too wide; cells are HTML already."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(name)}">'
        f'<table class="{kind}"><thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def details(title: str, content: str) -> str:
    """Something to unfold."""
    return f"<details><summary>{escape(title)}</summary>\n{content}\n</details>"


def json_block(data: Any) -> str:
    """A JSON value as it would stand in a file."""
    return f"<pre>{escape(json.dumps(data, indent=2, ensure_ascii=False))}</pre>"


def properties(data: Mapping[str, Any], *, name: str) -> str:
    """A two-column table of a JSON object's entries."""
    rows = [[escape(str(key)), code(value)] for key, value in data.items()]
    return table(["name", "value"], rows, name=name, kind="properties")


def records(data: Sequence[Mapping[str, Any]], *, name: str) -> str:
    """A table of JSON objects with the same keys."""
    head = list(dict.fromkeys(key for record in data for key in record))
    rows = [[code(record.get(key)) for key in head] for record in data]
    return table(head, rows, name=name, kind="records")


def code(value: Any) -> str:
    """A JSON value within a sentence or cell; strings without their quotes."""
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"<code>{escape(text)}</code>"
