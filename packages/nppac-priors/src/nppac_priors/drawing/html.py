"""Elements of a self-contained HTML page; `text` arguments are escaped here, `content` is HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

NOTHING = '<span class="nothing">–</span>'


def page(title: str, content: str, footer: str) -> str:
    """A whole page: it loads nothing, runs no script, and follows the reader's colour scheme."""
    resources = files("nppac_priors.drawing")
    return Template((resources / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=(resources / "page.css").read_text(encoding="utf-8"),
        content=content,
        footer=escape(footer),
    )


def section(title: str, *content: str) -> str:
    """A part of the page under a heading."""
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(content) + "\n</section>"


def paragraph(content: str, kind: str = "note") -> str:
    """A paragraph of the class `kind`."""
    return f'<p class="{kind}">{content}</p>'


def notice(text: str) -> str:
    """Something that is missing or went wrong, in plain words."""
    return paragraph(escape(text), "notice")


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


def code(value: Any) -> str:
    """A JSON value within a sentence or cell; strings without their quotes."""
    if value is None:
        return NOTHING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"<code>{escape(text)}</code>"
