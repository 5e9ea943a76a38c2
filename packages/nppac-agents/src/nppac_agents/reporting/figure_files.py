"""Figures as files, in the format that the file's suffix says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from nppac_priors.atomic_files import write_bytes
from nppac_priors.drawing.rendering import figure_png
from nppac_priors.errors import ConfigError

FIGURES = (".png", ".svg", ".pdf")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, SVG or PDF; the same figure gives the same bytes.

    Raises:
        ConfigError: the suffix is none of theirs.
        OSError: it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FIGURES:
        raise ConfigError(f"{path}: a figure's name has to end in {', '.join(FIGURES)}")
    write_bytes(path, figure_png(figure) if suffix == ".png" else _vector(figure, suffix[1:]))


def _vector(figure: Figure, form: str) -> bytes:
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    settings: Any = {"svg.hashsalt": "nppac", "pdf.fonttype": 42}
    buffer = io.BytesIO()
    with matplotlib.rc_context(settings):
        figure.savefig(buffer, format=form, bbox_inches="tight", metadata=undated[form])
    return buffer.getvalue()
