"""The documentation site: `make docs` builds it, and a warning is an error."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from docutils import nodes

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "nppac"
author = "the nppac authors"
release = importlib.metadata.version("nppac-agents")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
html_math_renderer = "mathml"
html_theme = "furo"
html_title = "nppac"
html_show_copyright = False
default_role = "literal"  # `name` in a docstring is code
html_static_path = ["_static"]
html_css_files = ["tables.css"]
exclude_patterns = ["_build", "results/**"]

myst_enable_extensions = ["dollarmath", "deflist", "html_image"]
myst_heading_anchors = 4

autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]  # two packages have errors of one name, in "Raises"


def mark_drawings(app, doctree) -> None:
    """Tell drawings on white, which a dark page inverts, from photographs."""
    for image in doctree.findall(nodes.image):
        if "figures/" in image["uri"]:
            image["classes"].append("drawing")


def setup(app) -> None:
    """Write the pages that follow from the code before they are read."""
    from reference_pages import write_pages

    app.connect("builder-inited", lambda _: write_pages(HERE / "reference"))
    app.connect("doctree-read", mark_drawings)
