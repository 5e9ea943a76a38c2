"""What an agent sees and does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import gymnasium as gym


class Spaces(NamedTuple):
    """Both spaces of one (not vectorised) environment; actions in [-1, 1]."""

    observation: gym.spaces.Box
    action: gym.spaces.Box

    @property
    def state_dim(self) -> int:
        """S."""
        return self.observation.shape[0]

    @property
    def action_dim(self) -> int:
        """A."""
        return self.action.shape[0]
