"""Configs of the hand tasks: `door`, `pen`, `hammer` and `relocate`.

By default they have the reward and horizon of N-PPAC (Rudner et al., NeurIPS 2021): 1 on success
and 0 elsewhere, cut after 200 steps, pen after 100. AWAC (Nair et al., 2020) has "binary" rewards
and 200 steps for all.
"""

from __future__ import annotations

from abc import ABC
from typing import Literal, final

from pydantic import Field

from nppac_envs.registered_config import RegisteredConfig

_DIMENSIONS = {"door": (39, 28), "pen": (45, 24), "hammer": (46, 26), "relocate": (39, 30)}
_REWARD_RANGES = {"zero-one": (0.0, 1.0), "binary": (-1.0, 0.0)}


class AdroitConfig(RegisteredConfig, ABC, frozen=True):
    """What the hand tasks have in common."""

    horizon: int = Field(default=200, ge=1, le=1_000_000)
    """Steps after which an episode is cut."""
    reward: Literal["zero-one", "binary", "sparse", "dense"] = "zero-one"
    """"zero-one": 1 on success, 0 elsewhere. "binary": 0 on success, -1 elsewhere. "sparse" and
    "dense": the shaped rewards of the simulator that N-PPAC used."""

    @property
    def has_success(self) -> bool:
        """True: every step's info holds `success`."""
        return True

    @property
    def dimensions(self) -> tuple[int, int]:
        """Of observations and actions, by the task."""
        return _DIMENSIONS[self.kind]

    @property
    def reward_range(self) -> tuple[float, float] | None:
        """Of a reward that follows from success; None of the shaped ones."""
        return _REWARD_RANGES.get(self.reward)


@final
class DoorConfig(AdroitConfig, frozen=True):
    """Turn the latch and open the door: 39 observations, 28 actions.

    Success: the hinge is at 1.35 rad or more. The frame's position is drawn at every reset.
    """

    gymnasium_id = "nppac/Door-v0"

    kind: Literal["door"] = "door"
    """Name of the environment."""


@final
class PenConfig(AdroitConfig, frozen=True):
    """Turn the pen in the hand to a goal direction: 45 observations, 24 actions.

    Success: within 0.075 m of the goal and the cosine of the angle to it above 0.95. The goal
    direction is drawn at every reset.
    """

    gymnasium_id = "nppac/Pen-v0"

    kind: Literal["pen"] = "pen"
    """Name of the environment."""
    horizon: int = Field(default=100, ge=1, le=1_000_000)
    """Steps after which an episode is cut."""
    terminate_when_dropped: bool = False
    """End an episode when the pen falls below 0.075 m, as D4RL does."""


@final
class HammerConfig(AdroitConfig, frozen=True):
    """Take the hammer and drive the nail into the board: 46 observations, 26 actions.

    Success: the nail's head is less than 0.01 m from its goal. The board's height is drawn at every
    reset.
    """

    gymnasium_id = "nppac/Hammer-v0"

    kind: Literal["hammer"] = "hammer"
    """Name of the environment."""


@final
class RelocateConfig(AdroitConfig, frozen=True):
    """Take the ball from the table to a goal in the air: 39 observations, 30 actions.

    Success: the ball is less than 0.1 m from the goal. The places of both are drawn at every reset.
    """

    gymnasium_id = "nppac/Relocate-v0"

    kind: Literal["relocate"] = "relocate"
    """Name of the environment."""
