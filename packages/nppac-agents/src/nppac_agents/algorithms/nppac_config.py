"""The configuration of N-PPAC; defaults are the paper's for the hand tasks unless they say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from nppac_priors.errors import ConfigError
from pydantic import Field, model_validator

from nppac_agents.config import AgentConfig, Spaces

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior

    from nppac_agents.algorithms.nppac import NPPAC

Width = Annotated[int, Field(ge=1, le=8192)]
LearningRate = Annotated[float, Field(gt=0, le=1)]


class NPPACConfig(AgentConfig):
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
    gamma: float = Field(
        default=0.99, ge=0, lt=1, description="Discount factor per environment step."
    )
    tau: float = Field(default=0.005, gt=0, le=1, description="Polyak rate of the target critics.")
    batch_size: int = Field(default=1024, ge=1, le=65536, description="Transitions per update.")
    policy_learning_rate: LearningRate = Field(
        default=3e-4, description="Adam's rate for the policy."
    )
    critic_learning_rate: LearningRate = Field(
        default=3e-4, description="Adam's rate for the critics."
    )
    temperature_learning_rate: LearningRate = Field(
        default=3e-4, description="Adam's rate for alpha, where `target_kl` tunes it."
    )
    policy_hidden: tuple[Width, ...] = Field(
        default=(256, 256, 256, 256), description="Hidden widths of the policy network."
    )
    critic_hidden: tuple[Width, ...] = Field(
        default=(256, 256), description="Hidden widths of each of the two critics."
    )
    critic_layer_norm: bool = Field(
        default=False,
        description="Normalise the critics' hidden layers (not in the paper): bounds their values "
        "away from the data.",
    )
    standardise_states: bool = Field(
        default=False,
        description="Feed the networks states standardised over the demonstrations (not in the "
        "paper).",
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

    def build(
        self,
        spaces: Spaces,
        prior: Prior | None,
        demonstrations: Demonstrations | None,
        *,
        device: str | torch.device = "cpu",
        generator: torch.Generator,
    ) -> NPPAC:
        """Builds the agent; see ``AgentConfig.build``."""
        from nppac_priors import GaussianPrior

        from nppac_agents.algorithms.nppac import NPPAC

        if not isinstance(prior, GaussianPrior):
            given = "none" if prior is None else repr(prior.config.kind)
            raise ConfigError(
                f"agent: 'nppac' needs a prior with a mean and a standard deviation, got {given}; "
                "set prior to a Gaussian kind such as 'exact-gp'"
            )
        theirs = prior.state_dim, prior.action_dim
        ours = spaces.observation.shape[0], spaces.action.shape[0]
        if theirs != ours:
            raise ConfigError(
                f"agent: the prior has {theirs[0]} state and {theirs[1]} action dimensions, the "
                f"environment {ours[0]} and {ours[1]}; fit it to demonstrations of this task"
            )
        if demonstrations is None and (self.start == "distilled" or self.standardise_states):
            raise ConfigError(
                "agent: a distilled start and standardise_states need demonstrations; "
                "set demonstrations, or start to 'residual' or 'fresh'"
            )
        states = None if demonstrations is None else demonstrations.states
        return NPPAC(self, spaces, prior, states, device=device, generator=generator)
