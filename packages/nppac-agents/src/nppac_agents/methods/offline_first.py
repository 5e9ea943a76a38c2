"""What methods share that learn offline from demonstrated transitions, and online afterwards."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nppac_agents.methods.base import LearningRate, Method
from nppac_agents.phase import ONLINE, Losses, Phase, offline

if TYPE_CHECKING:
    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions


class OfflineFirst(Method):
    """A method without a prior, whose replay holds the demonstrated transitions from the start."""

    uses_prior: ClassVar[bool] = False
    demonstrations_in_replay: ClassVar[bool] = True

    offline_updates: int = Field(default=1_000_000, ge=0)
    """Updates on the replay before interaction goes on."""

    def learns_offline(self) -> bool:
        """With `offline_updates`."""
        return self.offline_updates > 0

    def phases(self, agent: Agent) -> list[Phase]:
        """Offline, then online."""
        return [*offline(self.offline_updates), ONLINE]


class BehaviourFirst(OfflineFirst):
    """One that is held to a model of the behaviour, which it fits before all else.

    A method writes its phases and its update out, with `fit_behaviour` where it belongs.
    """

    behaviour_updates: int = Field(default=300_000, ge=0)
    """Updates that fit the behaviour, first of all."""
    refit_behaviour: bool = False
    """Go on fitting it to what the replay holds, one update with each other one (Nair et al. 2020,
    online)."""
    behaviour_learning_rate: LearningRate = 5e-4
    """Adam's rate for the behaviour."""

    @abstractmethod
    def fit_behaviour(self, agent: Agent, batch: Transitions) -> Losses:
        """One step of the behaviour on the replay's actions."""
