"""BC: behavioural cloning of the demonstrations.

    loss   - mean log pi(a|s)   over demonstrated (s, a)

No critic, no reward, and no environment but for evaluation. The policy is an unsquashed Gaussian:
many demonstrated actions lie on the edge of the action space, where a squashed one's likelihood
has no maximum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nppac_agents.algorithms.actor_critic import LearningRate, Width
from nppac_agents.algorithms.requirements import require_demonstrations
from nppac_agents.config import AgentConfig, Spaces

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.experience.transitions import Transitions
    from nppac_agents.learners.cloner import Cloner
    from nppac_agents.learning.distributions import ActionDistribution


class BCConfig(AgentConfig):
    """Behavioural cloning: the likeliest Gaussian policy for the demonstrated actions."""

    uses_prior: ClassVar[bool] = False

    kind: Literal["bc"] = "bc"  # pyright: ignore[reportIncompatibleVariableOverride]
    updates: int = Field(default=20_000, ge=1, description="Updates in all.")
    batch_size: int = Field(
        default=128, ge=1, le=65536, description="Demonstrated transitions per update."
    )
    policy_learning_rate: LearningRate = Field(
        default=3e-4, description="Adam's rate for the policy."
    )
    policy_weight_decay: float = Field(
        default=1e-4, ge=0, le=1, description="Adam's weight decay of the policy."
    )
    policy_hidden: tuple[Width, ...] = Field(
        default=(256, 256), description="Hidden widths of the policy network."
    )
    standardise_states: bool = Field(
        default=True,
        description="Feed the network states standardised over the demonstrations.",
    )

    def loss(self, policy: ActionDistribution, batch: Transitions) -> Tensor:
        """The negative log-likelihood of the demonstrated actions."""
        return -policy.log_prob(batch.actions).mean()

    def build(
        self,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device = "cpu",
        generator: torch.Generator,
    ) -> Cloner:
        """Builds the agent; see ``AgentConfig.build``."""
        from nppac_agents.learners.cloner import Cloner

        given = require_demonstrations(self.kind, "it clones them", demonstrations)
        return Cloner(self, spaces, given, device=device, generator=generator)
