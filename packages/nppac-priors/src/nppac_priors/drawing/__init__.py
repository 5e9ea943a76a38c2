"""How figures and pages look, for every report of the nppac packages. Needs the extra `report`.

`style` has the palette and the axes, `panels` draws a few curves over one x axis with their names
(`names`), `rendering` makes PNG and SVG of a figure, `pages` fills in the templates of
self-contained pages with the looks of `templates/page.css`.
"""

from __future__ import annotations

import importlib.util

from nppac_priors.errors import ConfigError

if not all(map(importlib.util.find_spec, ("matplotlib", "jinja2"))):
    raise ConfigError(
        "pictures and pages need matplotlib and jinja2: pip install 'nppac-priors[report]'"
    )
