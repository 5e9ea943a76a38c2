"""Figures and images as bytes: PNG for files, inline SVG that takes its colours from the page."""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray

from nppac_priors.drawing.style import GRID, INK, MUTED, PAPER, SERIES

_DPI = 200
_MARGIN = 0.12
"""In inches"""
_VARIABLES = {PAPER: "--paper", INK: "--ink", MUTED: "--muted", GRID: "--grid"} | {
    colour: f"--series-{index}" for index, colour in enumerate(SERIES)
}


def figure_png(figure: Figure) -> bytes:
    """A figure as PNG on white, 200 dots per inch, with a margin around all that it shows."""
    figure.set_dpi(_DPI)
    shown = figure.get_tightbbox().padded(_MARGIN)  # "tight" would draw everything once before
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches=shown, metadata={"Software": None})
    return buffer.getvalue()


def image_png(image: NDArray[Any]) -> bytes:
    """An image (H, W, 3) uint8 as PNG."""
    buffer = io.BytesIO()
    imsave(buffer, image, format="png")
    return buffer.getvalue()


def figure_svg(figure: Figure, key: str, description: str) -> Markup:
    """A figure as an SVG element to stand within a page: text stays text, the ground is clear.

    The palette's colours become the page's variables `--paper`, `--ink`, `--muted`, `--grid` and
    `--series-0` onwards, so that a dark page shows light lines.

    Args:
        figure: Drawn in the colours of `style`.
        key: Keeps the element's ids apart from those of others on the page.
        description: What a reader who cannot see it is told.
    """
    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "nppac"}
    with matplotlib.rc_context(settings):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    markup = buffer.getvalue()
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", markup, flags=re.DOTALL)
    markup = re.sub(r'<g id="[^"]*"', "<g", markup)
    markup = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", markup)
    markup = re.sub(r"'DejaVu Sans'.*?(?=[;\"])", "sans-serif", markup)
    for colour, variable in _VARIABLES.items():
        markup = markup.replace(colour, f"var({variable})")
    size = re.search(r'viewBox="[^"]*"', markup)
    assert size is not None
    label = f'class="panel" role="img" aria-label="{escape(description)}" {size[0]}'
    return Markup(re.sub(r"<svg[^>]*>", lambda _: f"<svg {label}>", markup, count=1).strip())
