"""`plugin_of`: which plugin an environment's config is of, for messages."""

from __future__ import annotations

import contextlib
import sys
from importlib.metadata import entry_points

from nppac_envs.config import EnvConfig
from nppac_envs.hookspecs import PROJECT


def plugin_of(config: EnvConfig) -> str | None:
    """Distribution and version of the plugin that offers a config's class; None if none does.

    Asked for messages only; it imports nothing.
    """
    for entry in entry_points(group=PROJECT):
        if entry.module in sys.modules and entry.dist is not None:
            with contextlib.suppress(Exception):
                if type(config) in entry.load().nppac_env_configs():
                    return f"{entry.dist.name} {entry.dist.version}"
    return None
