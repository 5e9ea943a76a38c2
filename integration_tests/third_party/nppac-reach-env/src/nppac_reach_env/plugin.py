"""The config of the environment, and the hook that offers it."""

from __future__ import annotations

from typing import Any, Literal

from nppac_envs import EnvConfig, hookimpl
from pydantic import Field


class ReachConfig(EnvConfig, frozen=True):
    """A point that reaches for a goal; reward: minus the distance."""

    kind: Literal["reach"] = "reach"
    horizon: int = Field(30, ge=1, le=1_000_000)
    """Steps of an episode."""
    tolerance: float = Field(0.1, gt=0)
    """Distance to the goal that is a success."""

    @property
    def has_success(self) -> bool:
        """True."""
        return True

    def make(self, *, render_mode: str | None = None) -> Any:
        """A `Reach` with a time limit; it draws no frames."""
        from gymnasium.wrappers import TimeLimit

        from nppac_reach_env.reach import Reach

        return TimeLimit(Reach(self.tolerance), self.horizon)


@hookimpl
def nppac_env_configs() -> list[type[EnvConfig]]:
    """The environment of this package."""
    return [ReachConfig]
