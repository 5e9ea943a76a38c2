"""The union of all sources, told apart by `source`: the type of a config file's demonstrations."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nppac_envs.demonstrations.awac import AwacConfig
from nppac_envs.demonstrations.csv_file import CsvConfig
from nppac_envs.demonstrations.d4rl import D4rlConfig
from nppac_envs.demonstrations.dapg import DapgConfig
from nppac_envs.demonstrations.lerobot import LerobotConfig
from nppac_envs.demonstrations.minari import MinariConfig
from nppac_envs.demonstrations.npz import NpzConfig
from nppac_envs.demonstrations.robomimic import RobomimicConfig
from nppac_envs.demonstrations.shipped import ShippedConfig

DemonstrationsSource = Annotated[
    MinariConfig
    | NpzConfig
    | CsvConfig
    | D4rlConfig
    | RobomimicConfig
    | DapgConfig
    | AwacConfig
    | LerobotConfig
    | ShippedConfig,
    Field(discriminator="source"),
]
