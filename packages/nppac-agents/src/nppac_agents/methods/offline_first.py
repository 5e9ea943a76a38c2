"""What methods share that learn offline from demonstrated transitions, and online afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nppac_agents.methods.base import Method
from nppac_agents.phase import ONLINE, Phase, offline

if TYPE_CHECKING:
    from nppac_agents.agent import Agent


class OfflineFirst(Method):
    """A method without a prior, whose replay holds the demonstrated transitions from the start."""

    uses_prior: ClassVar[bool] = False
    demonstrations_in_replay: ClassVar[bool] = True

    offline_updates: int = Field(
        default=1_000_000, ge=0, description="Updates on the replay before interaction goes on."
    )

    def phases(self, agent: Agent) -> list[Phase]:
        """Offline, then online."""
        return [*offline(self.offline_updates), ONLINE]
