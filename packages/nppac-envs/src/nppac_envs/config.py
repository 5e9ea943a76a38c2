"""`EnvConfig`: what a class has to offer to be an environment that can be named in a config.

Built-in kinds live beside their simulator (`nppac_envs.adroit`). A third party subclasses
`EnvConfig` and offers the class through the `nppac_env_configs` hook (`nppac_envs.hookspecs`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    import gymnasium

    from nppac_envs.goals import Goals


class EnvConfig(
    BaseModel, ABC, frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
):
    """Settings of one environment, and the factory that makes it.

    A subclass gives `kind` a `Literal` type with one value and a default.
    """

    kind: str
    """Name of the environment."""
    horizon: int = Field(ge=1, le=1_000_000)
    """Steps after which an episode is cut."""

    @property
    @abstractmethod
    def has_success(self) -> bool | None:
        """Whether infos of steps hold a bool `success`; None where only playing it tells.

        True is held to: an episode none of whose infos has it is a fault.
        """

    @property
    def reward_range(self) -> tuple[float, float] | None:
        """The least and the greatest reward of a step; None where nobody knows them."""
        return None

    @property
    def reference_returns(self) -> tuple[float, float] | None:
        """Returns of a random and of an expert policy, which stand for 0 and 100 as normalised.

        None where nobody published any for these rules.
        """
        return None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Numbers of an observation and of an action; None where only making it tells."""
        return None

    def goals(self) -> Goals | None:
        """Where a task with goals has them, and how rewards follow; None where it has none.

        Whoever gives steps other goals takes them from `nppac_envs.checked_goals.checked_goals`,
        which holds them to an episode.
        """
        return None

    @property
    def shown_as(self) -> str:
        """What messages call it."""
        return repr(self.kind)

    def details(self) -> dict[str, Any] | None:
        """What only making the environment tells, as JSON for what is saved; None if nothing."""
        return None

    def require(self) -> None:
        """Look whether it can be made, as far as that shows without importing what it is made of.

        Raises:
            ConfigError: It cannot, as `make` would say.
        """

    @abstractmethod
    def make(self, *, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """Make the environment.

        Args:
            render_mode: `None`, or "rgb_array" to draw frames off-screen with `env.render()`.

        Returns:
            An environment with a Box action space [-1, 1] (float32) and a Box observation space
            (S,) that truncates at `horizon`. Observations are finite arrays of that shape and of
            one data type, rewards finite numbers. Whoever trains in it makes it with
            `nppac_envs.checked.make_checked`, which holds every step to this.
        """
