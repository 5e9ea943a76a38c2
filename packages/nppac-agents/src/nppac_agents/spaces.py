"""What an agent sees, does and is rewarded with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import gymnasium as gym
    from nppac_envs import Goals


class Spaces(NamedTuple):
    """Both spaces of one (not vectorised) environment, actions in [-1, 1], and its rewards."""

    observation: gym.spaces.Box
    action: gym.spaces.Box
    rewards: tuple[float, float] | None = None
    """The least and the greatest of a step, where they are known"""
    goals: Goals | None = None
    """Where a task with goals has them, for methods that exchange them"""

    @property
    def state_dim(self) -> int:
        """S."""
        return self.observation.shape[0]

    @property
    def action_dim(self) -> int:
        """A."""
        return self.action.shape[0]

    def value_range(self, gamma: float) -> tuple[float, float] | None:
        """The least and the greatest sum of discounted rewards, over one step or any number."""
        if self.rewards is None:
            return None
        least, greatest = self.rewards
        endless = 1.0 / (1.0 - gamma)
        return min(least, least * endless), max(greatest, greatest * endless)
