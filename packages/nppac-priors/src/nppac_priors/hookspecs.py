"""The hook through which a distribution provides priors.

A plugin is a module with one function, named in the entry-point group `nppac.priors`:

    from nppac_priors import hookimpl

    @hookimpl
    def nppac_prior_configs():
        return [MyPriorConfig]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from nppac_priors.config import PriorConfig

PROJECT = "nppac.priors"
"""Name of the pluggy project."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def nppac_prior_configs() -> list[type[PriorConfig]]:  # pyright: ignore[reportReturnType]
    """Return the classes of prior configurations that this plugin provides."""
