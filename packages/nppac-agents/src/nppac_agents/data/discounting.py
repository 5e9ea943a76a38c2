"""How a method values what comes after a transition; the one place that knows about ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Discounting(NamedTuple):
    """How a method values what comes after a transition."""

    gamma: float
    timeouts_are_terminal: bool = False
    n_steps: int = 1
    """Rewards that are added up before the value of the state that follows them"""
    horizon: int = 1
    """Rewards that the column `return_ahead` adds up"""

    @property
    def full_weight(self) -> float:
        """What `n_steps` rewards of 1 add up to."""
        return sum(self.gamma**step for step in range(self.n_steps))

    def discounts(
        self, terminated: Tensor, truncated: Tensor, steps: Tensor | None = None
    ) -> Tensor:
        """Gamma^n (1 - d) (B,), where d says which ends stop the value.

        Args:
            terminated: (B,), of the last of the steps that are added up.
            truncated: (B,), likewise.
            steps: how many they are, (B,); one each by default.
        """
        ended = terminated.maximum(truncated) if self.timeouts_are_terminal else terminated
        gamma = self.gamma if steps is None else self.gamma**steps
        return gamma * (1.0 - ended)
