"""The page of the health report: verdicts, numbers, pictures, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from nppac_priors.drawing.pages import render
from nppac_priors.drawing.rendering import figure_svg
from nppac_priors.health.assessment import Health
from nppac_priors.health.numbers import shown_numbers
from nppac_priors.health.verdict import SAW_ALL, percent

_PIXELS_PER_INCH = 108
_MARKS = {"healthy": "good", "overconfident off the data": "warn", "collapsed": "bad"}


class Picture(NamedTuple):
    """A figure, the short name of its file, and its parts where a page shows these by themselves.

    Attributes:
        key: of the file.
        title: in words.
        figure: as the file shows it.
        parts: by label of a prior; a narrow screen shows them below each other.
    """

    key: str
    title: str
    figure: Figure
    parts: Mapping[str, Figure] = {}


def health_page(
    record: Mapping[str, Any], healths: Mapping[str, Health], pictures: Mapping[str, Picture]
) -> str:
    """The whole page as HTML.

    Args:
        record: What `health.json` holds.
        healths: By label.
        pictures: By key: variance_plane, std_by_distance, reliability, trajectory.
    """
    shown = ("config", "data_hash", "fit_seconds")
    provenance = {
        label: {key: prior[key] for key in shown if key in prior}
        for label, prior in record["priors"].items()
    }
    return render(
        "nppac_priors.health",
        "health.html",
        title=record["title"],
        data=record["data"],
        healths=healths,
        marks=_MARKS,
        numbers=shown_numbers(healths.values()),
        percent=percent,
        saw_all=SAW_ALL,
        drawn={key: _drawn(picture, list(healths)) for key, picture in pictures.items()},
        provenance=provenance,
    )


def training_page(record: Mapping[str, Any], figure: Figure) -> str:
    """The page of the variance off the data while priors train.

    Args:
        record: What `training.json` holds.
        figure: What `draw_training` drew.
    """
    picture = Picture("training", "The variance off the data, while training", figure)
    return render(
        "nppac_priors.health",
        "training.html",
        title=record["title"],
        drawn=_drawn(picture, list(record["priors"])),
        configs={label: prior["config"] for label, prior in record["priors"].items()},
    )


def _drawn(picture: Picture, labels: list[str]) -> list[Markup]:
    """The figure, or its parts, each as wide as it was drawn or else as wide as the page."""
    parts = picture.parts or {", ".join(labels): picture.figure}
    drawn = []
    for index, (label, figure) in enumerate(parts.items()):
        svg = figure_svg(figure, f"{picture.key}-{index}", f"{picture.title}: {label}.")
        width = _PIXELS_PER_INCH * figure.get_size_inches()[0]
        style = f"max-width: {width:.0f}px"
        drawn.append(Markup('<div class="figure" style="{}">{}</div>').format(style, svg))
    return drawn
