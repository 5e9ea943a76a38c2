"""The built-in environments, offered through the same hook as everyone else's."""

from __future__ import annotations

from nppac_envs.adroit.config import DoorConfig, HammerConfig, PenConfig, RelocateConfig
from nppac_envs.config import EnvConfig
from nppac_envs.foreign.config import GymnasiumConfig
from nppac_envs.hookspecs import hookimpl
from nppac_envs.locomotion.config import (
    AntConfig,
    HalfCheetahConfig,
    HopperConfig,
    Walker2dConfig,
)
from nppac_envs.pushing.config import PushConfig
from nppac_envs.registered_config import RegisteredConfig

TASKS: list[type[RegisteredConfig]] = [
    *(DoorConfig, PenConfig, HammerConfig, RelocateConfig),
    *(HalfCheetahConfig, Walker2dConfig, AntConfig, HopperConfig),
    PushConfig,
]
"""The hand tasks, the locomotion tasks and the pushing task."""


@hookimpl
def nppac_env_configs() -> list[type[EnvConfig]]:
    """The tasks, and anybody's environment."""
    return [*TASKS, GymnasiumConfig]
