"""The page of the health report: verdicts, numbers, pictures, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from nppac_priors.drawing import html
from nppac_priors.drawing.rendering import figure_svg
from nppac_priors.health.assessment import Health
from nppac_priors.health.numbers import shown_numbers
from nppac_priors.health.verdict import percent

_FOOTER = "All numbers, in full precision, are in {} beside this page."
_PIXELS_PER_INCH = 108
_MARKS = {"healthy": "good", "overconfident off the data": "warn", "collapsed": "bad"}
_CAPTIONS = {
    "variance_plane": (
        "Variance over the plane of the demonstrations",
        "Predictive variance, averaged over action dimensions, at states of the plane through the "
        "mean demonstration state along the first two principal components of the standardised "
        "states. Black: the fitted episodes, projected onto it. A healthy prior is darker, that "
        "is less sure, away from them.",
    ),
    "std_by_distance": (
        "Away from the data",
        "Demonstration states were moved along random directions, up to 100 standard deviations. "
        "Where a prior's curve falls below its value on the data, one and the same deviation from "
        "it costs a regularised policy ever more.",
    ),
    "reliability": (
        "Calibration",
        "On the diagonal, an interval that states a coverage has it. Below, the prior is "
        "overconfident on episodes that it has not seen.",
    ),
    "trajectory": (
        "Along one held-out episode",
        "The first held-out episode, in the action dimensions that change most.",
    ),
}


class Picture(NamedTuple):
    """A figure and the short name of its file."""

    key: str
    figure: Figure


def health_page(
    record: Mapping[str, Any], healths: Mapping[str, Health], pictures: Sequence[Picture]
) -> str:
    """The whole page as HTML.

    Args:
        record: What `health.json` holds.
        healths: By label.
        pictures: By key: variance_plane, std_by_distance, reliability, trajectory.
    """
    drawn = {picture.key: _drawn(picture, healths) for picture in pictures}
    pair = f'<div class="row">{drawn["std_by_distance"]}{drawn["reliability"]}</div>'
    captions = "".join(
        html.paragraph(escape(_CAPTIONS[key][1])) for key in ("std_by_distance", "reliability")
    )
    content = [
        _header(record, healths),
        _pictured("variance_plane", drawn["variance_plane"]),
        html.section("Away from the data, and on held-out episodes", pair, captions),
        _numbers(healths),
        _pictured("trajectory", drawn["trajectory"]),
        _provenance(record),
    ]
    return html.page(record["title"], "\n".join(content), _FOOTER.format("health.json"))


def training_page(record: Mapping[str, Any], figure: Figure) -> str:
    """The page of the variance off the data while priors train.

    Args:
        record: What `training.json` holds.
        figure: What `draw_training` drew.
    """
    title = "The variance off the data, while training"
    caption = (
        "Each prior was fitted anew with 1, 2, 4, ... steps, from the same seed each time. Shown "
        "are medians over states of the predictive variance, averaged over action dimensions. A "
        "healthy prior's variance off the data stays above that on the data."
    )
    configs = [
        html.details(f"Prior: {label}", html.json_block(prior["config"]))
        for label, prior in record["priors"].items()
    ]
    content = [
        html.paragraph("health of behavioural priors", "state"),
        f"<h1>{escape(record['title'])}</h1>",
        html.section(title, html.paragraph(escape(caption)), _sized(figure, "training", title)),
        html.section("Provenance", *configs),
    ]
    return html.page(record["title"], "\n".join(content), _FOOTER.format("training.json"))


def _header(record: Mapping[str, Any], healths: Mapping[str, Health]) -> str:
    data = record["data"]
    held_out = len(data["held_out_episodes"])
    how = (
        f"{data['fitted_steps']:,} steps of {data['fitted_episodes']} episodes fitted, "
        f"{data['held_out_steps']:,} steps of {held_out} held out; {data['state_dim']} state and "
        f"{data['action_dim']} action dimensions"
    )
    cards = "".join(_card(label, health) for label, health in healths.items())
    return "\n".join(
        [
            html.paragraph("health of behavioural priors", "state"),
            f"<h1>{escape(record['title'])}</h1>",
            html.paragraph(escape(how)),
            f'<div class="headline">{cards}</div>',
        ]
    )


def _card(label: str, health: Health) -> str:
    verdict = health.verdict
    return (
        f'<div class="result"><span class="what">{escape(label)}</span>'
        f'<span class="verdict {_MARKS[verdict.word]}">{escape(verdict.word)}</span>'
        f'<span class="meaning">{escape(_sentence(verdict.rule))}</span>'
        f'<span class="meaning">On held-out episodes: {verdict.on_held_out}; its 90 % intervals '
        f"cover {percent(health.held_out.coverage[0.9], 1)}.</span></div>"
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _drawn(picture: Picture, healths: Mapping[str, Health]) -> str:
    return _sized(
        picture.figure, picture.key, f"{_CAPTIONS[picture.key][0]}: {', '.join(healths)}."
    )


def _sized(figure: Figure, key: str, description: str) -> str:
    """A figure, as wide as it was drawn or else as wide as the page."""
    width = _PIXELS_PER_INCH * figure.get_size_inches()[0]
    drawn = figure_svg(figure, key, description)
    return f'<div class="figure" style="max-width: {width:.0f}px">{drawn}</div>'


def _pictured(key: str, drawn: str) -> str:
    title, caption = _CAPTIONS[key]
    return html.section(title, html.paragraph(escape(caption)), drawn)


def _numbers(healths: Mapping[str, Health]) -> str:
    rows, group, numbers = [], "", shown_numbers(healths.values())
    for number in numbers:
        if number.group != group:
            group = number.group
            rows.append([f"<b>{escape(group)}</b>", *[""] * len(healths)])
        values = [escape(number.text(health)) for health in healths.values()]
        rows.append([escape(number.name), *values])
    terms = "".join(
        f"<dt>{escape(number.name)}</dt><dd>{escape(number.meaning)}</dd>" for number in numbers
    )
    return html.section(
        "Numbers",
        html.table(["", *healths], rows, name="Numbers", kind="numbers"),
        html.details("What the numbers mean", f'<div class="aside"><dl>{terms}</dl></div>'),
    )


def _provenance(record: Mapping[str, Any]) -> str:
    parts = [html.details("Data", html.properties(record["data"], name="Data"))]
    for label, prior in record["priors"].items():
        shown = {key: prior[key] for key in ("config", "data_hash", "fit_seconds") if key in prior}
        parts.append(html.details(f"Prior: {label}", html.json_block(shown)))
    return html.section("Provenance", *parts)
