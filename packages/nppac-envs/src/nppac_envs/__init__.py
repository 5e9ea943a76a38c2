"""Manipulation and locomotion tasks, and demonstrations from wherever they are.

`import nppac_envs` registers the tasks with Gymnasium as `nppac/...`. It imports neither
the simulator nor Minari: those come with the first environment made and the first set loaded.
Public names are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from nppac_envs.registration import register_environments

if TYPE_CHECKING:
    from nppac_envs.adroit.config import DoorConfig, HammerConfig, PenConfig, RelocateConfig
    from nppac_envs.config import EnvConfig
    from nppac_envs.demonstrations.awac import AwacConfig
    from nppac_envs.demonstrations.config import DemonstrationsConfig
    from nppac_envs.demonstrations.csv_file import CsvConfig
    from nppac_envs.demonstrations.d4rl import D4rlConfig
    from nppac_envs.demonstrations.dapg import DapgConfig
    from nppac_envs.demonstrations.dataset import Demonstrations
    from nppac_envs.demonstrations.lerobot import LerobotConfig
    from nppac_envs.demonstrations.minari import MinariConfig
    from nppac_envs.demonstrations.npz import NpzConfig
    from nppac_envs.demonstrations.robomimic import RobomimicConfig
    from nppac_envs.demonstrations.shipped import ShippedConfig, shipped_names
    from nppac_envs.demonstrations.sources import DemonstrationsSource
    from nppac_envs.errors import ConfigError, DataError, EnvsError
    from nppac_envs.foreign.config import GymnasiumConfig
    from nppac_envs.goals import Goals
    from nppac_envs.hookspecs import hookimpl
    from nppac_envs.locomotion.config import (
        AntConfig,
        HalfCheetahConfig,
        HopperConfig,
        Walker2dConfig,
    )
    from nppac_envs.measured import MeasureEpisodes
    from nppac_envs.measures import EpisodeMeasures, Measures, measure
    from nppac_envs.pushing.config import PushConfig

_HOMES = {
    "AntConfig": "locomotion.config",
    "AwacConfig": "demonstrations.awac",
    "ConfigError": "errors",
    "CsvConfig": "demonstrations.csv_file",
    "D4rlConfig": "demonstrations.d4rl",
    "DapgConfig": "demonstrations.dapg",
    "DataError": "errors",
    "Demonstrations": "demonstrations.dataset",
    "DemonstrationsConfig": "demonstrations.config",
    "DemonstrationsSource": "demonstrations.sources",
    "DoorConfig": "adroit.config",
    "EnvConfig": "config",
    "EnvsError": "errors",
    "EpisodeMeasures": "measures",
    "Goals": "goals",
    "GymnasiumConfig": "foreign.config",
    "HalfCheetahConfig": "locomotion.config",
    "HammerConfig": "adroit.config",
    "HopperConfig": "locomotion.config",
    "LerobotConfig": "demonstrations.lerobot",
    "MeasureEpisodes": "measured",
    "Measures": "measures",
    "MinariConfig": "demonstrations.minari",
    "NpzConfig": "demonstrations.npz",
    "PenConfig": "adroit.config",
    "PushConfig": "pushing.config",
    "RelocateConfig": "adroit.config",
    "RobomimicConfig": "demonstrations.robomimic",
    "ShippedConfig": "demonstrations.shipped",
    "Walker2dConfig": "locomotion.config",
    "hookimpl": "hookspecs",
    "measure": "measures",
    "shipped_names": "demonstrations.shipped",
}

__all__ = [
    "AntConfig",
    "AwacConfig",
    "ConfigError",
    "CsvConfig",
    "D4rlConfig",
    "DapgConfig",
    "DataError",
    "Demonstrations",
    "DemonstrationsConfig",
    "DemonstrationsSource",
    "DoorConfig",
    "EnvConfig",
    "EnvsError",
    "EpisodeMeasures",
    "Goals",
    "GymnasiumConfig",
    "HalfCheetahConfig",
    "HammerConfig",
    "HopperConfig",
    "LerobotConfig",
    "MeasureEpisodes",
    "Measures",
    "MinariConfig",
    "NpzConfig",
    "PenConfig",
    "PushConfig",
    "RelocateConfig",
    "RobomimicConfig",
    "ShippedConfig",
    "Walker2dConfig",
    "__version__",
    "hookimpl",
    "measure",
    "shipped_names",
]

__version__: str

register_environments()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("nppac-envs")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
