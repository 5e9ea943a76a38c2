"""The method, and the hook that offers it."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from nppac_agents import SAC, hookimpl
from pydantic import Field


class SACBC(SAC):
    """SAC whose actor loss has a second term, the squared error of demonstrated actions."""

    demonstrations_for: ClassVar[str | None] = "its policy clones them"
    needs_rewards: ClassVar[bool] = False
    kind: Literal["cloning-sac"] = "cloning-sac"
    cloning_weight: float = Field(0.1, ge=0)
    """Weight of the squared error."""

    def actor_loss(self, agent: Any, batch: Any, alpha: Any, kappa: Any, value: Any) -> Any:
        """SAC's, and the squared error of the mode at demonstrated states."""
        shown = agent.draw_demonstrated(self.batch_size)
        error = (agent.parts.policy.net.mode(shown.states) - shown.actions).square().mean()
        loss = super().actor_loss(agent, batch, alpha, kappa, value)
        return loss + self.cloning_weight * error


@hookimpl
def nppac_agent_configs() -> list[type]:
    """The method of this package."""
    return [SACBC]
