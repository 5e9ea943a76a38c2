"""SAC: soft actor-critic with automatic temperature (Haarnoja et al. 2018).

The regularised actor-critic of ``soft_actor_critic`` with kappa = log pi(a|s). The temperature
holds the entropy at ``target_entropy`` nats per action dimension (-1 in the source).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nppac_agents.algorithms.actor_critic import Setup
from nppac_agents.algorithms.soft_actor_critic import SoftActorCriticConfig

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.experience.transitions import Moments, Transitions
    from nppac_agents.learning.distributions import ActionDistribution


class SACConfig(SoftActorCriticConfig):
    """SAC: actor-critic regularised by the policy's entropy (Haarnoja et al. 2018)."""

    uses_prior: ClassVar[bool] = False

    kind: Literal["sac"] = "sac"  # pyright: ignore[reportIncompatibleVariableOverride]
    target_entropy: float | None = Field(
        default=-1.0,
        description="Tune alpha so that the policy's entropy stays at this many nats per action "
        "dimension; null keeps alpha fixed.",
    )

    def regulariser(
        self, policy: ActionDistribution, actions: Tensor, log_prob: Tensor, prior: Moments
    ) -> Tensor:
        """log pi(a|s) (B,), whose mean is the negative entropy."""
        return log_prob

    def reported(self, kappa: Tensor, batch: Transitions) -> dict[str, Tensor]:
        """The entropy."""
        return {"entropy": -kappa.mean()}

    def setup(self, action_dim: int) -> Setup:
        """The dual variable holds log pi at the negative target entropy."""
        target = None if self.target_entropy is None else -self.target_entropy * action_dim
        return Setup(
            alpha=self.alpha,
            dual_target=target,
            temperature_learning_rate=self.temperature_learning_rate,
        )
