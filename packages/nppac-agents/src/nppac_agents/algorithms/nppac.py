"""N-PPAC: non-parametric prior actor-critic (Rudner et al. 2021, section 4 and appendix A).

The regularised actor-critic of ``soft_actor_critic`` with kappa the divergence KL(pi || pi0) of the
policy from the behavioural prior pi0 at s. The gradient of the actor loss passes through log
pi0(a), never into the prior. A learned temperature holds the divergence at ``target_kl`` nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from nppac_agents.algorithms.actor_critic import Setup, Width
from nppac_agents.algorithms.requirements import require_demonstrations
from nppac_agents.algorithms.soft_actor_critic import SoftActorCriticConfig
from nppac_agents.config import Spaces
from nppac_agents.learning.divergences import analytic_kl, sampled_kl
from nppac_agents.phase import ONLINE, Phase

if TYPE_CHECKING:
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.experience.transitions import Moments, Transitions
    from nppac_agents.learners.actor_critic import ActorCritic
    from nppac_agents.learning.distributions import ActionDistribution


class NPPACConfig(SoftActorCriticConfig):
    """N-PPAC: actor-critic regularised by KL(policy || behavioural prior) (Rudner et al. 2021)."""

    kind: Literal["nppac"] = "nppac"  # pyright: ignore[reportIncompatibleVariableOverride]
    start: Literal["distilled", "residual", "fresh"] = Field(
        default="residual",
        description="How the policy starts: `distilled` on the demonstration states (the paper), "
        "`residual` as the prior itself plus a learned correction, `fresh` without the prior.",
    )
    squash: bool = Field(
        default=False,
        description="Squash samples through tanh (the paper's locomotion tasks) instead of leaving "
        "them unbounded and clipping at the environment (its hand tasks).",
    )
    alpha: float = Field(
        default=0.1,
        gt=0,
        le=1e3,
        description="Temperature: the weight of the KL divergence, in reward.",
    )
    target_kl: float | None = Field(
        default=None,
        gt=0,
        description="Tune alpha as a dual variable that holds the KL at this many nats; null keeps "
        "alpha fixed. The paper's tuned variant uses one nat per action dimension.",
    )
    kl_estimator: Literal["sampled", "analytic"] = Field(
        default="sampled",
        description="`sampled`: log pi - log pi0 at one action (the paper); `analytic`: the exact "
        "divergence between Gaussians, for an unsquashed policy only.",
    )
    prior_scale: Literal["std", "variance"] = Field(
        default="std",
        description="Scale of the prior's normal: its standard deviation (the paper's text) or its "
        "variance (what the published code passes).",
    )
    timeouts_are_terminal: bool = Field(
        default=True,
        description="Whether the critic target stops at the time limit (published code: yes on "
        "hand tasks, no on locomotion).",
    )
    batch_size: int = Field(default=1024, ge=1, le=65536, description="Transitions per update.")
    policy_hidden: tuple[Width, ...] = Field(
        default=(256, 256, 256, 256), description="Hidden widths of the policy network."
    )
    critic_warmup_updates: int = Field(
        default=0, ge=0, description="First updates that train the critics only (not in the paper)."
    )
    pretraining_epochs: int = Field(
        default=400,
        ge=1,
        description="Passes over the demonstration states of a `distilled` start.",
    )
    pretraining_batch_size: int = Field(
        default=64, ge=1, description="Demonstration states per distillation update."
    )

    @model_validator(mode="after")
    def _estimator_fits_policy(self) -> Self:
        if self.squash and self.kl_estimator == "analytic":
            raise ValueError(
                "kl_estimator 'analytic' needs an unsquashed policy; set squash to false or "
                "kl_estimator to 'sampled'"
            )
        return self

    def regulariser(
        self, policy: ActionDistribution, actions: Tensor, log_prob: Tensor, prior: Moments
    ) -> Tensor:
        """KL(pi || pi0) (B,), by the configured estimator."""
        if self.kl_estimator == "analytic":
            return analytic_kl(policy, *prior)
        return sampled_kl(actions, log_prob, *prior)

    def reported(self, kappa: Tensor, batch: Transitions) -> dict[str, Tensor]:
        """The divergence, and the prior's standard deviation at the same states."""
        return {"kl": kappa.mean(), "prior_std": batch.prior_std.mean()}

    def setup(self, action_dim: int) -> Setup:
        """The dual variable holds the KL at ``target_kl``."""
        return Setup(
            prior_scale=self.prior_scale,
            alpha=self.alpha,
            dual_target=self.target_kl,
            temperature_learning_rate=self.temperature_learning_rate,
        )

    def policy_start(self) -> Literal["fresh", "distilled", "residual"]:
        """``start``."""
        return self.start

    def actor_is_due(self, update: int) -> bool:
        """After the critics' warm-up."""
        return update >= self.critic_warmup_updates

    def phases(self, agent: ActorCritic) -> list[Phase]:
        """Distillation on the demonstrated states first, where the policy starts so."""
        if self.start != "distilled":
            return [ONLINE]
        from nppac_agents.learners.distillation import Distillation

        return [Distillation(agent, self).phase(), ONLINE]

    def require(
        self, spaces: Spaces, prior: Prior | None, demonstrations: Demonstrations | None
    ) -> None:
        """A Gaussian prior; demonstrations where the policy is distilled on them."""
        super().require(spaces, prior, demonstrations)
        if self.start == "distilled":
            require_demonstrations(self.kind, "a distilled start", demonstrations)
