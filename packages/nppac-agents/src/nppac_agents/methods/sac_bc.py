"""SAC+BC: soft actor-critic that clones the demonstrations as it learns.

The auxiliary loss of Nair et al. 2018, with SAC in the place of DDPG (as in Nair et al. 2020 and
Rudner et al. 2021):

    actor loss   lambda_1 SAC's + lambda_2 mean_D [c(s, a) m(s, a)]
    cloning      c = |mode of pi(.|s) - a|^2  (2018)   or   - log pi(a|s)  (2020)
    Q-filter     m = 1[Q(s, a) > Q(s, mode)]  (2018)   or   1  (2020),   Q the lower critic

D is a minibatch of demonstrations, drawn for every update beside the one from the replay, which
holds the demonstrations too. At lambda_2 = 0 it is SAC from demonstrations, at lambda_1 = 0 it
clones. The log-likelihood of a squashed policy has no maximum where actions lie on the edge of the
action space. Hindsight goals and resets to demonstrated states of the 2018 paper are left out: no
task here has goals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.base import BatchSize
from nppac_agents.methods.sac import SAC

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions


class SACBC(SAC):
    """SAC with a cloning term in the loss of its policy (Nair et al. 2018, with SAC for DDPG)."""

    demonstrations_in_replay: ClassVar[bool] = True

    kind: Literal["sac-bc"] = "sac-bc"  # pyright: ignore[reportIncompatibleVariableOverride]
    actor_weight: float = Field(default=1e-3, ge=0)
    """lambda_1, the weight of SAC's actor loss."""
    cloning_weight: float = Field(default=1.0, ge=0)
    """lambda_2, the weight of the cloning term, a mean over demonstrations (in the source the sum
    over 128 of them weighs 1/128)."""
    cloning_loss: Literal["squares", "likelihood"] = "squares"
    """`squares`: squared distance of the policy's mode (Nair et al. 2018); `likelihood`: negative
    log-likelihood (released code of Nair et al. 2020)."""
    q_filter: bool = True
    """Clone only actions that the critics prefer to the policy's mode (Nair et al. 2018: yes; Nair
    et al. 2020: no)."""
    cloning_batch_size: BatchSize = 128
    """Demonstrated transitions per update in the cloning term."""
    batch_size: BatchSize = 1024
    """Transitions per update."""

    def actor_loss(
        self, agent: Agent, batch: Transitions, alpha: Tensor, kappa: Tensor, value: Tensor
    ) -> Tensor:
        """SAC's and the cloning term."""
        shown = agent.draw_demonstrated(self.cloning_batch_size)
        policy = agent.parts.policy(shown.states)
        cost = (policy.mode() - shown.actions).square().sum(-1)
        if self.cloning_loss == "likelihood":
            cost = -policy.log_prob(shown.actions)
        if self.q_filter:
            cost = cost * self.preferred(agent, shown, policy.mode())
        loss = super().actor_loss(agent, batch, alpha, kappa, value)
        return self.actor_weight * loss + self.cloning_weight * cost.mean()

    def preferred(self, agent: Agent, shown: Transitions, own: Tensor) -> Tensor:
        """1.0 where the lower critic prefers the demonstrated actions to `own` (B, A), (B,)."""
        critic = agent.parts.critic
        with parts.no_grad():
            values = (critic(shown.states, actions).amin(0) for actions in (shown.actions, own))
            theirs, mine = values
            return (theirs > mine).to(theirs.dtype)
