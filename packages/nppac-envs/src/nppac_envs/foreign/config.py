"""`GymnasiumConfig`: any environment of the Gymnasium interface, without a plugin package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, final

from pydantic import BaseModel, Field, field_validator

from nppac_envs.config import EnvConfig
from nppac_envs.foreign import DEFAULT_HORIZON

if TYPE_CHECKING:
    import gymnasium

    from nppac_envs.goals import Goals


@final
class SuccessTest(
    BaseModel, frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
):
    """Success as one comparison with one number of a step's info."""

    key: str = Field(min_length=1)
    """Key of the step's info, such as distance."""
    comparison: Literal["<", "<=", ">", ">=", "=="]
    """How the number in the info has to compare."""
    number: float
    """With what."""


@final
class GymnasiumConfig(EnvConfig, frozen=True):
    """Any Gymnasium environment with vector observations and continuous actions.

    Its module is imported when it is made, never when a config is read, and only from what is
    installed or on PYTHONPATH. Actions in [-1, 1] are mapped onto the bounds of its action space,
    dimension by dimension; dict observations are flattened in Gymnasium's order; observations are
    cast to float32.
    """

    kind: Literal["gymnasium"] = "gymnasium"
    """Name of the environment."""
    id: str = Field(min_length=1)
    """A registered id ("Pendulum-v1"; "module:Name-v0" imports the module first), or
    "package.module:make", a function or class that returns the environment."""
    kwargs: dict[str, Any] = Field(default={})
    """Keyword arguments of the environment, as JSON."""
    horizon: int | None = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        default=None,
        ge=1,
        le=1_000_000,
        description="Steps after which an episode is cut; null for the limit that the environment "
        f"is registered with, or {DEFAULT_HORIZON} where it has none.",
    )
    observation_keys: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Which entries of a dict observation make up the state, always in Gymnasium's order; null for
    all."""
    success: str | SuccessTest | None = None
    """What tells success in a step's info: the name of a flag, or a key, a comparison and a number;
    null for the flags success and is_success, where it has one."""
    rewards: tuple[float, float] | None = None
    """The least and the greatest reward of a step, which bound what critics can promise; null where
    they are not known."""

    @property
    def has_success(self) -> bool | None:
        """True where `success` names what tells it; else None, since only its infos know."""
        return None if self.success is None else True

    @field_validator("rewards")
    @classmethod
    def _in_order(cls, rewards: tuple[float, float] | None) -> tuple[float, float] | None:
        if rewards is not None and rewards[0] > rewards[1]:
            raise ValueError(f"the least, {rewards[0]:g}, is above the greatest, {rewards[1]:g}")
        return rewards

    @property
    def reward_range(self) -> tuple[float, float] | None:
        """`rewards`."""
        return self.rewards

    def goals(self) -> Goals | None:
        """See `nppac_envs.foreign.goals.stated_goals`, which makes the environment to look."""
        from nppac_envs.foreign.goals import stated_goals

        return stated_goals(self)

    @property
    def shown_as(self) -> str:
        """Its kind and id."""
        return f"{self.kind!r} {self.id!r}"

    def details(self) -> dict[str, Any]:
        """See `nppac_envs.foreign.description.described`."""
        from nppac_envs.foreign.description import described

        return described(self)

    def require(self) -> None:
        """Look for its id among those that are registered, or for the package of its module.

        Raises:
            ConfigError: It is not there.
        """
        from nppac_envs.foreign.importing import require_there

        require_there(self)

    def make(self, *, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """Import it, make it, and adapt it; `nppac_envs.foreign.adapted` says how.

        Raises:
            ConfigError: It cannot be found or imported, refuses its arguments, or has spaces that
                are not for this project.
        """
        from nppac_envs.foreign.adapted import adapted

        return adapted(self, render_mode)
