"""The environment that `--task` and `--set` name."""

from __future__ import annotations

import argparse

from nppac_envs.config import EnvConfig
from nppac_envs.environments import env_config, setting
from nppac_envs.errors import ConfigError


def chosen_task(kind: str, arguments: argparse.Namespace) -> EnvConfig:
    """The config of an environment, with the settings of the command.

    Raises:
        ConfigError: Nobody offers the kind, or a setting does not fit it.
    """
    try:
        return env_config(kind, dict(map(setting, arguments.set)))
    except ConfigError as error:
        from nppac_envs.foreign.importing import may_be_registered

        if not may_be_registered(kind):
            raise
        raise ConfigError(
            f"{error}; if it is Gymnasium's, write --task gymnasium --set id={kind}"
        ) from None
