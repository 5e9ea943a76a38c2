"""How a method values what comes after a transition; the one place that knows about ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Discounting(NamedTuple):
    """How a method values what comes after a transition."""

    gamma: float
    timeouts_are_terminal: bool = False

    def discounts(self, terminated: Tensor, truncated: Tensor) -> Tensor:
        """Gamma (1 - d) (B,), where d says which ends stop the value."""
        ended = terminated.maximum(truncated) if self.timeouts_are_terminal else terminated
        return self.gamma * (1.0 - ended)
