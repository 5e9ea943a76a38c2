from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from nppac_priors.drawing.pages import render

VALUES = {"title": "a & <b>", "drawn": [], "configs": {"<p>": {"x": "</pre>"}}}


def test_what_a_template_is_given_is_escaped():
    page = render("nppac_priors.health", "training.html", **VALUES)
    assert "<title>a &amp; &lt;b&gt;</title>" in page
    assert "Prior: &lt;p&gt;" in page
    assert "&lt;/pre&gt;" in page


def test_a_value_that_a_template_misses_is_an_error():
    with pytest.raises(UndefinedError, match="configs"):
        render("nppac_priors.health", "training.html", title="a", drawn=[])


def test_narrow_screens_get_cards_and_dark_ones_a_dark_ground():
    page = render("nppac_priors.health", "training.html", **VALUES)
    assert "prefers-color-scheme: dark" in page
    assert "content: attr(data-label)" in page
