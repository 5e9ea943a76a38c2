"""`RegisteredConfig`: the config of an environment that is registered with Gymnasium."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar

from nppac_envs.config import EnvConfig

if TYPE_CHECKING:
    import gymnasium


class RegisteredConfig(EnvConfig, ABC, frozen=True):
    """Its fields besides `kind` and `horizon` are keyword arguments of the registered task.

    Attributes:
        gymnasium_id: What `gymnasium.make` calls it.
    """

    gymnasium_id: ClassVar[str]

    def make(self, *, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """Make the environment through its Gymnasium id; its module's docstring describes it."""
        import gymnasium

        return gymnasium.make(
            self.gymnasium_id,
            max_episode_steps=self.horizon,
            render_mode=render_mode,
            disable_env_checker=True,
            **self.model_dump(exclude={"kind", "horizon"}),
        )
