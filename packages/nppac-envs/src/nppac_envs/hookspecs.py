"""The hook through which packages offer environments, and the marker to implement it with.

A package exposes a module under the entry-point group `nppac.envs`, and in it

    from nppac_envs import hookimpl

    @hookimpl
    def nppac_env_configs():
        return [MyTaskConfig]
"""

from __future__ import annotations

import pluggy

from nppac_envs.config import EnvConfig

PROJECT = "nppac.envs"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def nppac_env_configs() -> list[type[EnvConfig]]:  # type: ignore[empty-body]
    """Return config classes of environments, each with its own `kind`."""
