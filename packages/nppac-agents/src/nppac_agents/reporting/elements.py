"""What a run's report adds to the elements of a page: its metrics, panels and pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from nppac_priors.drawing.html import code, table
from nppac_priors.drawing.panels import Panel, single_figure
from nppac_priors.drawing.rendering import figure_svg

from nppac_agents.reporting.run_files import Logged


def metric(logged: Logged, field: str, text: str) -> str:
    """A number from the metrics file: shown as `text`, with where it is from and its full value."""
    return (
        f'<data value="{json.dumps(logged.event[field])}" data-source="metrics" '
        f'data-event="{logged.line}" data-field="{escape(field)}">{escape(text)}</data>'
    )


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


def records(data: Sequence[Mapping[str, Any]], *, name: str) -> str:
    """A table of JSON objects with the same keys."""
    head = list(dict.fromkeys(key for record in data for key in record))
    rows = [[code(record.get(key)) for key in head] for record in data]
    return table(head, rows, name=name, kind="records")
