"""Configs of the locomotion tasks `halfcheetah`, `walker2d`, `ant` and `hopper`.

N-PPAC (Rudner et al., NeurIPS 2021) and AWAC (Nair et al., 2020) report the `v2` tasks of OpenAI
Gym, which no maintained package has; `variant="v2"` gives their rules on Gymnasium's simulator.
HalfCheetah's rules are the same in all versions, so it has no such choice.
"""

from __future__ import annotations

from abc import ABC
from typing import Literal, final

from pydantic import Field

from nppac_envs.registered_config import RegisteredConfig

_DIMENSIONS = {"halfcheetah": (17, 6), "walker2d": (17, 6), "ant": (105, 8), "hopper": (11, 3)}
_ANT_V2 = 27, 8
_PUBLISHED_HORIZON = 1000
_REFERENCES = {
    "halfcheetah": (-280.178953, 12135.0),
    "walker2d": (1.629008, 4592.3),
    "ant": (-325.6, 3879.7),
    "hopper": (-20.272305, 3234.3),
}
"""Of D4RL (Fu et al. 2020, its `infos.py`): a random policy, and soft actor-critic at its end"""


class LocomotionConfig(RegisteredConfig, ABC, frozen=True):
    """What the locomotion tasks have in common."""

    horizon: int = Field(default=1000, ge=1, le=1_000_000)
    """Steps after which an episode is cut."""

    @property
    def has_success(self) -> bool:
        """False: there is a return and no success."""
        return False

    @property
    def dimensions(self) -> tuple[int, int]:
        """Of observations and actions, by the task."""
        return _DIMENSIONS[self.kind]

    @property
    def reference_returns(self) -> tuple[float, float] | None:
        """Those of D4RL, which are of the rules of v2 and of 1000 steps."""
        return _REFERENCES[self.kind] if self.horizon == _PUBLISHED_HORIZON else None


class VersionedConfig(LocomotionConfig, ABC, frozen=True):
    """A locomotion task whose rules changed between versions."""

    variant: Literal["v5", "v2"] = "v5"
    """"v5": Gymnasium's current rules. "v2": those of the papers' version."""

    @property
    def reference_returns(self) -> tuple[float, float] | None:
        """Of v2 alone."""
        return super().reference_returns if self.variant == "v2" else None


@final
class HalfCheetahConfig(LocomotionConfig, frozen=True):
    """Run forwards with two legs in a plane: 17 observations, 6 actions; never terminates."""

    gymnasium_id = "nppac/HalfCheetah-v0"

    kind: Literal["halfcheetah"] = "halfcheetah"
    """Name of the environment."""


@final
class Walker2dConfig(VersionedConfig, frozen=True):
    """Walk forwards on two feet in a plane: 17 observations, 6 actions; a fall terminates.

    "v2": friction 0.9 of the right foot in place of 1.9, and 1 for being alive on the last step.
    """

    gymnasium_id = "nppac/Walker2d-v0"

    kind: Literal["walker2d"] = "walker2d"
    """Name of the environment."""


@final
class AntConfig(VersionedConfig, frozen=True):
    """Walk forwards on four legs: 105 observations ("v2": 27), 8 actions; a fall terminates.

    "v2": no contact forces in observation and reward (under the simulator of the papers they were
    always 0), and 1 for being alive on the last step.
    """

    gymnasium_id = "nppac/Ant-v0"

    kind: Literal["ant"] = "ant"
    """Name of the environment."""

    @property
    def dimensions(self) -> tuple[int, int]:
        """Fewer observations without the contact forces."""
        return _ANT_V2 if self.variant == "v2" else super().dimensions


@final
class HopperConfig(VersionedConfig, frozen=True):
    """Hop forwards on one leg in a plane: 11 observations, 3 actions; a fall terminates.

    "v2": 1 for being alive on the last step, too.
    """

    gymnasium_id = "nppac/Hopper-v0"

    kind: Literal["hopper"] = "hopper"
    """Name of the environment."""
