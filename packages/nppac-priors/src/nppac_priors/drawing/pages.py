"""Self-contained HTML pages from templates, which escape whatever they are given."""

from __future__ import annotations

import json
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from nppac_priors.drawing.panels import Panel, single_figure
from nppac_priors.drawing.rendering import figure_svg


def render(package: str, template: str, **values: Any) -> str:
    """Fill in a template; the page loads nothing, runs no script, and follows the colour scheme.

    Args:
        package: Whose folder `templates` has it. A template extends `page.html` and imports
            `elements.html`, which are this package's.
        template: Its file.
        values: By the names that the template has for them; one that is missing is an error.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("nppac_priors.drawing")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = _json
    environment.globals["panel_svg"] = _panel_svg
    return environment.get_template(template).render(values)


def _json(data: Any, indent: int | None = None) -> str:
    """A JSON value as it would stand in a file."""
    return json.dumps(data, indent=indent, ensure_ascii=False)


def _panel_svg(panel: Panel, group: str) -> str:
    """A panel as a picture; `group` keeps panels with one key apart."""
    return figure_svg(single_figure(panel), f"{group}-{panel.key}", panel.description)
