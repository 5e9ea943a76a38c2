"""SAC: soft actor-critic with automatic temperature (Haarnoja et al. 2018).

The regularised actor-critic with kappa = log pi(a|s). The temperature holds the entropy at
`target_entropy` nats per action dimension (-1 in the source).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from nppac_agents.methods.actor_critic import RegularisedActorCritic
from nppac_agents.phase import Losses

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts.distributions import ActionDistribution


class SAC(RegularisedActorCritic):
    """SAC: actor-critic regularised by the policy's entropy (Haarnoja et al. 2018)."""

    uses_prior: ClassVar[bool] = False

    kind: Literal["sac"] = "sac"  # pyright: ignore[reportIncompatibleVariableOverride]
    target_entropy: float | None = -1.0
    """Tune alpha so that the policy's entropy stays at this many nats per action dimension; null
    keeps alpha fixed."""

    def kappa(
        self, policy: ActionDistribution, actions: Tensor, log_prob: Tensor, prior: Any
    ) -> Tensor:
        """Log pi(a|s) (B,), whose mean is the negative entropy."""
        return log_prob

    def reported(self, kappa: Tensor, batch: Transitions) -> Losses:
        """The entropy."""
        return {"entropy": -kappa.mean()}

    def target(self, action_dim: int) -> float | None:
        """The negative target entropy."""
        return None if self.target_entropy is None else -self.target_entropy * action_dim
