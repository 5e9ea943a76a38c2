"""trackio and wandb, the services that ship: what their libraries want to be told at the start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from nppac_priors.plugin_origin import in_one_line
from pydantic import Field

from nppac_agents.loggers.series import BY_STEPS, axis_of
from nppac_agents.loggers.tracking import TrackingConfig, warn

_PROJECT = "nppac"
_SECONDS_TO_UPLOAD = 60.0
"""At most at the end of a run, unless wandb's settings say otherwise; the default has no limit"""


class TrackioConfig(TrackingConfig):
    """Curves for trackio, which keeps them on this machine; needs the extra `trackio`.

    Another place or a server is for its own variables to say, such as `TRACKIO_DIR`.
    """

    write_delay: ClassVar[float] = 5.0  # its queue is emptied twice a second
    kind: Literal["trackio"] = "trackio"  # pyright: ignore[reportIncompatibleVariableOverride]
    project: str = Field(default=_PROJECT, min_length=1)
    """Its runs are shown beside each other."""

    def start(self, run_dir: Path, run_id: str, experiment: dict[str, Any]) -> Any:
        """Under a name with a part of the id, since it finds a run again by its name."""
        import trackio  # pyright: ignore[reportMissingImports]

        name = f"{run_dir.resolve().name}-{run_id[:8]}"
        trackio.init(self.project, name=name, config=experiment, resume="allow")
        return trackio

    def step(self, event: Mapping[str, Any], axis: str) -> int:
        """What it draws curves over."""
        return event[axis]


class WandbConfig(TrackingConfig):
    """Curves for Weights & Biases; needs the extra `wandb`.

    All else is for its own variables and settings to say, such as `WANDB_MODE`. Where nobody is
    logged in, or the server does not answer, the run is kept in the run directory's `wandb/`, for
    `wandb sync`.
    """

    write_delay: ClassVar[float] = 30.0  # its file is written every 15 seconds
    kind: Literal["wandb"] = "wandb"  # pyright: ignore[reportIncompatibleVariableOverride]
    project: str | None = Field(
        default=None,
        min_length=1,
        description="Its runs are shown beside each other; null for that of `WANDB_PROJECT` or "
        f"wandb's settings, or `{_PROJECT}`.",
    )

    def start(self, run_dir: Path, run_id: str, experiment: dict[str, Any]) -> Any:
        """Online where somebody is logged in; never with a question on the terminal."""
        import wandb  # pyright: ignore[reportMissingImports]

        settings = wandb.setup().settings
        options: dict[str, Any] = {
            "mode": _mode(wandb, settings.mode),
            "project": self.project or settings.project or _PROJECT,
            "id": run_id,
            "resume": "allow",
            "name": run_dir.resolve().name,
            "config": experiment,
            "reinit": "create_new",
            "settings": {"finish_timeout": settings.finish_timeout or _SECONDS_TO_UPLOAD},
        }
        if "WANDB_DIR" not in os.environ:
            options["dir"] = str(run_dir)
        run = wandb.init(**options)
        run.define_metric("*", step_metric="updates")
        for phase in BY_STEPS:
            run.define_metric(f"{phase}/*", step_metric=axis_of(phase, experiment))
        return run

    def step(self, event: Mapping[str, Any], axis: str) -> int:
        """A count that tells positions apart and never goes back; charts are over `axis`."""
        return event["env_steps"] + event["updates"]


def _mode(wandb: Any, mode: str) -> str:
    """Offline in place of online where nobody is logged in or the server does not answer."""
    if mode != "online":
        return mode
    try:  # asks the server: once a run's start has failed, its id is taken in this process
        return "online" if wandb.login(prompt=False) else "offline"
    except wandb.Error as error:
        warn(f"wandb: {in_one_line(error)}; the run is kept in wandb/, for wandb sync")
        return "offline"
