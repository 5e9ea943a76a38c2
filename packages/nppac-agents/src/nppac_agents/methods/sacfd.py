"""SACfD: soft actor-critic from demonstrations (as in Rudner et al. 2021, appendix H).

SAC whose replay holds the demonstrated transitions, with their rewards, from the start; minibatches
are drawn uniformly from all of it. Nair et al. 2020 (appendix B.4) also clone the demonstrations
before learning: `cloning_updates`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nppac_agents.methods.sac import SAC
from nppac_agents.phase import ONLINE, Phase

if TYPE_CHECKING:
    from nppac_agents.agent import Agent


class SACfD(SAC):
    """SAC with the demonstrations in its replay (Rudner et al. 2021, appendix H)."""

    demonstrations_in_replay: ClassVar[bool] = True

    kind: Literal["sacfd"] = "sacfd"  # pyright: ignore[reportIncompatibleVariableOverride]
    cloning_updates: int = Field(default=0, ge=0)
    """Updates that clone the demonstrated actions before learning (Nair et al. 2020); Rudner et al.
    2021 have none."""

    def phases(self, agent: Agent) -> list[Phase]:
        """Cloning first, where it is asked for."""
        return [*self.cloning(self.cloning_updates), ONLINE]
