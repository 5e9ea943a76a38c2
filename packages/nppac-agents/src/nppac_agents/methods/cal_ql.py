"""Cal-QL: calibrated offline RL for efficient online fine-tuning (Nakamoto et al. 2023).

CQL with the values of the policy's actions bounded from below by those of a reference policy before
they enter the gap,

    Q_j(s, a_i) -> max(Q_j(s, a_i), V(s)),   a_i ~ pi(.|s) or pi(.|s'),

so that the critics are not pushed below what the data has shown to be reachable. V(s) is the
discounted return from s to the end of its episode, as it was demonstrated or, later, lived through.
While an episode goes on its return is not known and bounds nothing. A time limit cuts the return
too: with rewards of 0 and 1 the bound is then too low, which is safe; the source adds -1 / (1 -
gamma) where all rewards are -1. At V = -infinity it is CQL; where V exceeds every value, the gap
has no gradient at the policy's actions.

Half of every minibatch online is demonstrated.

Tianshou's CQL has a switch of this name and bounds other values; see `cql.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nppac_agents.methods.base import Width
from nppac_agents.methods.cql import CQL

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions


class CalQL(CQL):
    """Cal-QL: CQL with critics not below the returns of the data (Nakamoto et al. 2023)."""

    columns: ClassVar[tuple[str, ...]] = ("return_to_go",)

    kind: Literal["cal-ql"] = "cal-ql"  # pyright: ignore[reportIncompatibleVariableOverride]
    demonstration_share: float = Field(default=0.5, ge=0, le=1)
    """Share of demonstrated transitions in a minibatch."""
    conservative_weight: float = Field(default=1.0, ge=0)
    """w, the weight of the gap in the critics' loss."""
    backup_samples: int = Field(default=10, ge=1, le=256)
    """Actions at s' of which the best is backed up."""
    warmup_updates: int = Field(default=0, ge=0)
    """First updates whose policy clones the replay."""
    offline_updates: int = Field(default=20_000, ge=0)
    """Updates on the replay before interaction goes on."""
    policy_hidden: tuple[Width, ...] = (512, 512)
    """Hidden widths of the policy network."""
    critic_hidden: tuple[Width, ...] = (512, 512, 512)
    """Hidden widths of each critic."""

    def reference(self, agent: Agent, batch: Transitions) -> Tensor:
        """The returns to go (B,), in the critics' unit."""
        return batch.extra["return_to_go"] / agent.parts.critic.unit

    def demonstrated_share(self) -> float:
        """`demonstration_share`."""
        return self.demonstration_share
