"""Configs of the hand tasks: `door` (open it) and `pen` (turn it to a goal direction).

Both have the reward and horizon of N-PPAC (Rudner et al., NeurIPS 2021): 1 on success and 0
elsewhere, cut after 200 (door) and 100 (pen) steps. AWAC (Nair et al., 2020) has "binary" rewards
and 200 steps for both.
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from pydantic import Field

from nppac_envs.config import EnvConfig

if TYPE_CHECKING:
    import gymnasium


class AdroitConfig(EnvConfig, ABC, frozen=True):
    """What the hand tasks have in common."""

    gymnasium_id: ClassVar[str]

    reward: Literal["zero-one", "binary"] = Field(
        default="zero-one",
        description='"zero-one": 1 on success, 0 elsewhere. "binary": 0 on success, -1 elsewhere.',
    )

    @property
    def has_success(self) -> bool:
        """True: every step's info holds `success`."""
        return True

    def make(self, *, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """Make the environment through its Gymnasium id; see `nppac_envs.adroit.task`."""
        import gymnasium

        return gymnasium.make(
            self.gymnasium_id,
            reward=self.reward,
            max_episode_steps=self.horizon,
            render_mode=render_mode,
            disable_env_checker=True,
        )


@final
class DoorConfig(AdroitConfig, frozen=True):
    """Turn the latch and open the door: 39 observations, 28 actions.

    Success: the hinge is at 1.35 rad or more. The frame's position is drawn at every reset.
    """

    gymnasium_id = "nppac/Door-v0"

    kind: Literal["door"] = Field(default="door", description="Name of the environment.")
    horizon: int = Field(
        default=200, ge=1, le=1_000_000, description="Steps after which an episode is cut."
    )


@final
class PenConfig(AdroitConfig, frozen=True):
    """Turn the pen in the hand to a goal direction: 45 observations, 24 actions.

    Success: within 0.075 m of the goal and the cosine of the angle to it above 0.95. The goal
    direction is drawn at every reset.
    """

    gymnasium_id = "nppac/Pen-v0"

    kind: Literal["pen"] = Field(default="pen", description="Name of the environment.")
    horizon: int = Field(
        default=100, ge=1, le=1_000_000, description="Steps after which an episode is cut."
    )
