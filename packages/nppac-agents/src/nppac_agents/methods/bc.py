"""BC: behavioural cloning of the demonstrations.

    loss   - mean log pi(a|s)   over demonstrated (s, a)

No critic, no reward, and no environment but for evaluation. The policy is an unsquashed Gaussian:
many demonstrated actions lie on the edge of the action space, where a squashed one's likelihood
has no maximum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.base import BatchSize, Method
from nppac_agents.phase import Losses, Phase, offline

if TYPE_CHECKING:
    import torch

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import Part


class BCParts(NamedTuple):
    """What cloning learns with."""

    policy: Part


class BC(Method):
    """Behavioural cloning: the likeliest Gaussian policy for the demonstrated actions."""

    uses_prior: ClassVar[bool] = False
    demonstrations_in_replay: ClassVar[bool] = True
    needs_rewards: ClassVar[bool] = False
    trainer: ClassVar[Literal["off-policy", "offline", "on-policy"]] = "offline"

    kind: Literal["bc"] = "bc"  # pyright: ignore[reportIncompatibleVariableOverride]
    updates: int = Field(default=20_000, ge=1)
    """Updates in all."""
    batch_size: BatchSize = 128
    """Demonstrated transitions per update."""
    policy_weight_decay: float = Field(default=1e-4, ge=0, le=1)
    """Adam's weight decay of the policy."""
    standardise_states: bool = True
    """Feed the network states standardised over the demonstrations."""

    def parts(self, agent: Agent, generator: torch.Generator) -> BCParts:
        """The policy alone."""
        network = self.policy_network(agent, generator, squash=False)
        rate, decay = self.policy_learning_rate, self.policy_weight_decay
        return BCParts(parts.Part(network, rate, decay=decay))

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """One step on the negative log-likelihood of the demonstrated actions."""
        policy = agent.parts.policy(batch.states)
        loss = -policy.log_prob(batch.actions).mean()
        norm = agent.parts.policy.descend(loss)
        return {"actor_loss": loss, "actor_grad_norm": norm, "actor_std": policy.std.mean()}

    def learns_offline(self) -> bool:
        """With nothing else."""
        return self.updates > 0

    def phases(self, agent: Agent) -> list[Phase]:
        """Offline, and nothing after it."""
        return offline(self.updates)
