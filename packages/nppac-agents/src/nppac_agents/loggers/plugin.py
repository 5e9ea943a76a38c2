"""The loggers of this package beside `metrics.jsonl`, through the same hook as everybody else's."""

from __future__ import annotations

from nppac_agents.loggers.hookspecs import hookimpl
from nppac_agents.loggers.services import TrackioConfig, WandbConfig
from nppac_agents.loggers.tensorboard import TensorBoardConfig


@hookimpl
def nppac_logger_configs() -> list[type]:
    """TensorBoard, trackio and wandb."""
    return [TensorBoardConfig, TrackioConfig, WandbConfig]
