"""Methods whose update consumes what the latest policy collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nppac_agents.methods.base import Method
from nppac_agents.phase import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay


class OnPolicy(Method):
    """One update for every `steps_per_update` environment steps; each method has its number."""

    trainer: ClassVar[Literal["off-policy", "offline", "on-policy"]] = "on-policy"

    steps_per_update: int

    def consumed_steps(self) -> int:
        """`steps_per_update`."""
        return self.steps_per_update

    def online(self, batch: Callable[[Agent, TensorReplay | None], Any]) -> Phase:
        """Interaction, each update on what `batch` gives."""
        return Phase("online", interacts=True, batch=batch, steps_per_update=self.steps_per_update)
