"""Config of the pushing task `push`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, final

from pydantic import Field

from nppac_envs.registered_config import RegisteredConfig

if TYPE_CHECKING:
    import gymnasium

    from nppac_envs.goals import Goals


@final
class PushConfig(RegisteredConfig, frozen=True):
    """Push a puck to a goal in 40 x 20 cm of a table: 12 observations, 2 actions.

    Reward: minus the distance of the puck to the goal in metres. Success: below 0.05 m. The goal is
    drawn at every reset.
    """

    gymnasium_id = "nppac/Push-v0"

    kind: Literal["push"] = "push"
    """Name of the environment."""
    horizon: int = Field(default=50, ge=1, le=1_000_000)
    """Steps after which an episode is cut."""

    @property
    def has_success(self) -> bool:
        """True: every step's info holds `success`."""
        return True

    @property
    def dimensions(self) -> tuple[int, int]:
        """Of the observations as one vector, and of the actions."""
        return 12, 2

    def goals(self) -> Goals:
        """The puck's place and where it should be; rewards are minus the distance."""
        from nppac_envs.goals import Goals
        from nppac_envs.pushing.task import minus_distances

        return Goals(achieved=(0, 1), desired=(2, 3), rewards=minus_distances)

    def make(self, *, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """Make the environment with observations as one vector, for agents.

        `gymnasium.make("nppac/Push-v0")` has the same as a dictionary. The vector holds its
        `achieved_goal` (2), `desired_goal` (2) and `observation` (8), in this order.
        """
        from gymnasium.wrappers import FlattenObservation

        return FlattenObservation(super().make(render_mode=render_mode))
