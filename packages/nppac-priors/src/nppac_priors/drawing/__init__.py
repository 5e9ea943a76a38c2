"""How figures and pages look, for every report of the nppac packages. Needs the extra `report`.

`style` has the palette and the axes, `panels` draws a few curves over one x axis, `rendering` makes
PNG and SVG of a figure, `html` the elements of a self-contained page with the looks of `page.css`.
"""

from __future__ import annotations

import importlib.util

from nppac_priors.errors import ConfigError

if importlib.util.find_spec("matplotlib") is None:
    raise ConfigError("pictures need matplotlib: pip install 'nppac-priors[report]'")
