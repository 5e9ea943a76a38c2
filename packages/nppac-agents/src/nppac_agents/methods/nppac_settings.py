"""What can be set of N-PPAC: how it starts, how far it may go, what comes first.

Defaults are those of a residual start; with another one, fields that are left out have the values
of the paper (`PUBLISHED`).
"""

from __future__ import annotations

import functools
from typing import Any, Literal, Self

from nppac_priors.deployed.prior_scale import PriorScale
from pydantic import Field, model_validator

from nppac_agents.methods.actor_critic import RegularisedActorCritic
from nppac_agents.methods.base import BatchSize, LearningRate, inherited

PUBLISHED: dict[str, Any] = {
    "kl_budget": None, "trust_region": None, "kl_estimator": "sampled",
    "timeouts_are_terminal": True, "batch_size": 1024, "policy_hidden": (256, 256, 256, 256),
    "n_steps": 1, "policy_learning_rate": 3e-4, "relative_rewards": False,
    "critic_layer_norm": False, "standardise_states": False, "bounded_values": False,
    "target_action": "sample", "mode_share": 0.0, "staggered_resets": False,
    "temperature_learning_rate": 3e-4,
}  # fmt: skip
"""What the paper sets, as defaults of every start but the residual one"""

_default = functools.partial(inherited, RegularisedActorCritic)


class NPPACSettings(RegularisedActorCritic):
    """The fields of N-PPAC, and which of them go together."""

    start: Literal["distilled", "residual", "fresh"] = "residual"
    """How the policy starts: `distilled` on the demonstration states (the paper), `residual` as the
    prior itself plus a learned correction, `fresh` without the prior."""
    squash: bool = False
    """Squash samples through tanh (the paper's locomotion tasks) instead of leaving them unbounded
    and clipping at the environment (its hand tasks)."""
    alpha: float = Field(default=0.1, gt=0, le=1e3)
    """Temperature: the weight of the KL divergence, in reward; with kl_budget the least that it
    falls to."""
    target_kl: float | None = Field(default=None, gt=0)
    """Tune alpha as a dual variable that holds the KL at this many nats; null keeps alpha fixed.
    The paper's tuned variant uses one nat per action dimension."""
    kl_budget: float | None = Field(default=0.015, gt=0)
    """Nats per action dimension above which alpha rises, and below which it falls back to its first
    value; null lets the divergence grow."""
    trust_region: float | None = Field(default=1.0, gt=0, le=100)
    """Largest shift of a residual policy's mean from the prior's, per state and dimension, in units
    of prior_scale there or on the demonstrations, whichever is smaller; null bounds none."""
    kl_estimator: Literal["sampled", "analytic"] = "analytic"
    """`sampled`: log pi - log pi0 at one action (the paper; a squashed policy); `analytic`: the
    exact divergence between Gaussians, for an unsquashed policy only."""
    prior_scale: PriorScale = "std"
    """Scale of the prior's normal, in which a residual policy starts and the divergence is
    measured: its standard deviation (`std`, the paper's text), its variance (what the published
    code passes), or a share of its standard deviation, with which it explores less."""
    timeouts_are_terminal: bool = False
    """Whether the critic target stops at the time limit (published code: yes on hand tasks, no on
    locomotion)."""
    batch_size: BatchSize = 256
    """Transitions per update."""
    n_steps: int = _default("n_steps", 5)
    policy_learning_rate: LearningRate = _default("policy_learning_rate", 1e-4)
    target_action: Literal["sample", "mode"] = _default("target_action", "mode")
    mode_share: float = _default("mode_share", 0.5)
    staggered_resets: bool = _default("staggered_resets", True)
    relative_rewards: bool = _default("relative_rewards", True)
    critic_layer_norm: bool = _default("critic_layer_norm", True)
    standardise_states: bool = _default("standardise_states", True)
    temperature_learning_rate: LearningRate = _default("temperature_learning_rate", 3e-3)
    bounded_values: bool = True
    """Keep critic targets within the sums of rewards that are possible, where the environment's
    least and greatest reward are known."""
    demonstration_share: float = Field(default=0.0, ge=0, le=1)
    """Share of demonstrated transitions, with their rewards, in a minibatch."""
    rollout_steps: int = Field(default=0, ge=0)
    """Environment steps that the starting policy collects before any update; they count."""
    prior_rounds: int = Field(default=0, ge=0, le=100)
    """Times that the prior is fitted anew, each after `rollout_steps` more of its own rollouts, to
    the best episodes so far, before the policy learns; for a residual start."""
    best_share: float = Field(default=0.4, gt=0, le=1)
    """Share of all episodes, demonstrated or its own, that the prior is fitted to then: those that
    return most for where they began, and none that returns as little as the worst."""
    critic_warmup_updates: int = Field(default=0, ge=0)
    """Most updates of the critics alone, on these rollouts, before the policy learns; they end once
    the error on held-out rollouts falls no further."""
    pretraining_epochs: int = Field(default=400, ge=1)
    """Passes over the demonstration states of a `distilled` start."""
    pretraining_batch_size: int = Field(default=64, ge=1)
    """Demonstration states per distillation update."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_start(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        published = given.get("start") in ("distilled", "fresh")
        squashed = {"kl_estimator": "sampled"} if given.get("squash") is True else {}
        return (PUBLISHED if published else squashed) | given

    @model_validator(mode="after")
    def _options_fit_each_other(self) -> Self:
        if self.target_kl is not None and self.kl_budget is not None:
            raise ValueError(
                "target_kl and kl_budget both say how far the divergence goes; set one of them to "
                "null"
            )
        if self.trust_region is not None and self.start != "residual":
            raise ValueError(
                "trust_region needs start 'residual', for it bounds a correction to the prior; set "
                "it to null"
            )
        if self.prior_rounds and (self.start != "residual" or not self.rollout_steps):
            raise ValueError(
                "prior_rounds needs start 'residual' and rollout_steps above 0, whose episodes the "
                "prior is fitted to; set it to 0"
            )
        if self.squash and self.kl_estimator == "analytic":
            raise ValueError(
                "kl_estimator 'analytic' needs an unsquashed policy; set squash to false or "
                "kl_estimator to 'sampled'"
            )
        return self
