"""The method, and the hook that offers it."""

from __future__ import annotations

from typing import Any, Literal

from nppac_agents import SAC, hookimpl
from pydantic import Field


class SACBC(SAC):
    """SAC, then a step of the policy towards demonstrated actions."""

    kind: Literal["sac-bc"] = "sac-bc"
    cloning_weight: float = Field(0.1, ge=0, description="Weight of the squared error.")

    def require(self, spaces: Any, prior: Any, demonstrations: Any) -> None:
        """Demonstrations."""
        from nppac_agents.requirements import require_demonstrations

        super().require(spaces, prior, demonstrations)
        require_demonstrations(self.kind, "its policy clones them", demonstrations)

    def actor_step(self, agent: Any, batch: Any) -> Any:
        """SAC's step, then one on the squared error of the mode."""
        losses = super().actor_step(agent, batch)
        shown, policy = agent.draw_demonstrated(self.batch_size), agent.parts.policy
        error = (policy.net.mode(shown.states) - shown.actions).square().mean()
        policy.descend(self.cloning_weight * error)
        return losses | {"cloning_loss": error}


@hookimpl
def nppac_agent_configs() -> list[type]:
    """The method of this package."""
    return [SACBC]
