"""DAPG: natural policy gradient with demonstrations (Rajeswaran et al. 2018).

    gradient   g = 1/N [sum A(s, a) grad log pi(a|s) + w_k sum grad log pi(a*|s*)]
    weight     w_k = lambda_0 lambda_1^k,   k the updates before this one
    step       theta <- theta + sqrt(delta / g' F^-1 g) F^-1 g

over N transitions of the current policy with advantages A, standardised over the N, and over all
demonstrated (s*, a*); F is the Fisher information at the N states. The quadratic model of the step
has KL(pi_new || pi_old) = delta / 2. With lambda_0 = 0 it is the natural policy gradient; with A =
0 a natural gradient step of cloning. A is GAE(lambda) over a value baseline that knows the time in
the episode. The policy starts as a clone of the demonstrations, fitted by squared errors.

Where it departs from the released code: the paper multiplies w_k by the largest advantage, the code
(and this) does not; the code's constant factor on g is left out, as the step cancels it; the value
of the state at which an episode is cut stands in both for the advantages and for the returns that
the baseline is fitted to, where the code ends the returns and bootstraps from the state before.
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

    from nppac_agents.learners.natural_gradient import NaturalGradient


class DAPGConfig(AgentConfig):
    """DAPG: on-policy natural gradient steps towards reward and demonstrations."""

    uses_prior: ClassVar[bool] = False

    kind: Literal["dapg"] = "dapg"  # pyright: ignore[reportIncompatibleVariableOverride]
    steps_per_update: int = Field(
        default=40_000,
        ge=1,
        description="Environment steps that one update consumes: 200 episodes of 200 in the "
        "source. Best a multiple of n_envs times the horizon: an episode that the update cuts "
        "goes on as a new one, its time counted from the cut.",
    )
    demonstration_weight: float = Field(
        default=0.01,
        ge=0,
        description="Lambda_0, the weight of a demonstrated transition in the first update, in "
        "standard deviations of the advantage (0.01 in the released configuration, 0.1 in the "
        "paper).",
    )
    demonstration_decay: float = Field(
        default=0.95, ge=0, le=1, description="Lambda_1: the weight's factor from update to update."
    )
    step_size: float = Field(
        default=0.05,
        gt=0,
        le=10,
        description="Delta, twice the KL divergence of a step by its quadratic model.",
    )
    conjugate_gradient_iterations: int = Field(
        default=10, ge=1, le=1_000, description="Fisher products per update."
    )
    damping: float = Field(
        default=1e-4, ge=0, description="Added to the diagonal of the Fisher information."
    )
    gamma: float = Field(
        default=0.995, ge=0, lt=1, description="Discount factor per environment step."
    )
    trace_decay: float = Field(
        default=0.97, ge=0, le=1, description="The lambda of generalised advantage estimation."
    )
    policy_hidden: tuple[Width, ...] = Field(
        default=(32, 32), description="Hidden widths of the policy network, with tanh."
    )
    lowest_log_std: float = Field(
        default=-3.0, ge=-20, le=2, description="Floor of the policy's log standard deviation."
    )
    cloning_epochs: int = Field(
        default=5, ge=0, description="Passes over the demonstrations that make the first policy."
    )
    cloning_batch_size: int = Field(
        default=32, ge=1, le=65536, description="Demonstrated transitions per cloning update."
    )
    cloning_learning_rate: LearningRate = Field(
        default=1e-3, description="Adam's rate for cloning."
    )
    critic_hidden: tuple[Width, ...] = Field(
        default=(128, 128), description="Hidden widths of the value baseline."
    )
    critic_learning_rate: LearningRate = Field(
        default=1e-3, description="Adam's rate for the value baseline."
    )
    critic_weight_decay: float = Field(
        default=1e-3, ge=0, le=1, description="Adam's weight decay of the value baseline."
    )
    critic_epochs: int = Field(
        default=2, ge=1, description="Passes of the value baseline over an update's transitions."
    )
    batch_size: int = Field(
        default=64, ge=1, le=65536, description="Transitions per step of the value baseline."
    )

    def weight(self, update: int) -> float:
        """w_k of update number ``update``, from 0."""
        return self.demonstration_weight * self.demonstration_decay**update

    def surrogate(
        self, log_prob: Tensor, advantages: Tensor, demonstrated_log_prob: Tensor, update: int
    ) -> Tensor:
        """The scalar with gradient g: log-densities (N,) of actions taken, (M,) of demonstrated."""
        rewarded = (advantages * log_prob).sum()
        cloned = self.weight(update) * demonstrated_log_prob.sum()
        return (rewarded + cloned) / len(log_prob)

    def standardise(self, advantages: Tensor) -> Tensor:
        """Advantages (N,) with mean 0 and deviation 1."""
        deviation = advantages.std(correction=0)
        return (advantages - advantages.mean()) / (deviation + 1e-6)

    def step_length(self, gradient: Tensor, direction: Tensor) -> Tensor:
        """The factor of the ``direction`` F^-1 g (P,) whose KL is delta / 2, from g (P,)."""
        return (self.step_size / ((gradient @ direction).abs() + 1e-20)).sqrt()

    def build(
        self,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device = "cpu",
        generator: torch.Generator,
    ) -> NaturalGradient:
        """Builds the agent; see ``AgentConfig.build``."""
        from nppac_agents.learners.natural_gradient import NaturalGradient

        given = require_demonstrations(self.kind, "it starts as their clone", demonstrations)
        return NaturalGradient(self, spaces, given, device=device, generator=generator)
