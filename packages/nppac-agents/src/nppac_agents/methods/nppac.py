"""N-PPAC: non-parametric prior actor-critic (Rudner et al. 2021, section 4 and appendix A).

The regularised actor-critic with kappa the divergence KL(pi || pi0) of the policy from the
behavioural prior pi0 at s. The gradient of the actor loss passes through log pi0(a), never into the
prior. A learned temperature holds the divergence at `target_kl` nats.

A prior that is not Gaussian is asked in every update for its log-density; the sampled estimate then
holds a policy to it that starts fresh or distilled.

A residual policy is the prior, corrected by a network; a distilled one is first fitted to it:
minimise E_s [KL(pi(.|s) || pi0(.|s))] over minibatches of shuffled demonstration states, with the
optimizer that goes on online (appendix I).

A residual policy has, beyond the paper, by default:

    target_action   the critics learn the value of its mode, which is what is deployed
    mode_share      as many training episodes are played by the mode, so that critics and policy
                    know the states that it comes to; samples of the others explore
    kl_budget       alpha rises, from its first value, while the mean divergence is above the
                    budget, and falls back below it: a price that follows the critics' scale
    trust_region    its mean stays within so many of the prior's standard deviations
    n_steps         targets of several rewards; the divergence is paid at their last state alone
    prior_rounds    first, rollouts of the prior and a prior fitted anew to the best episodes so
                    far, demonstrated or its own, in turns: it forgets what did not work
    bounded_values, relative_rewards, staggered_resets: see their fields

Some fifty updates an episode suit it (`training.updates_per_step`, a quarter for episodes of 200
steps): from few episodes, more teach the critics what these happened to have.

Policies with another start have the paper's settings by default (`PUBLISHED`).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from nppac_agents import parts
from nppac_agents.methods.actor_critic import RegularisedActorCritic, RegularisedParts
from nppac_agents.methods.asks_prior import AsksPrior
from nppac_agents.methods.base import BatchSize, LearningRate, inherited
from nppac_agents.methods.critic_warmup import critic_warmup
from nppac_agents.methods.distillation import distillation
from nppac_agents.methods.prior_rounds import rounds
from nppac_agents.phase import ONLINE, Losses, Phase, rollouts

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts.distributions import ActionDistribution

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


class NPPAC(AsksPrior):
    """N-PPAC: actor-critic regularised by KL(policy || behavioural prior) (Rudner et al. 2021).

    Defaults are those of a `residual` start; with `distilled` and `fresh`, fields that are left
    out have the paper's values, as a run's `config.json` shows.
    """

    kind: Literal["nppac"] = "nppac"  # pyright: ignore[reportIncompatibleVariableOverride]
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

    def parts(self, agent: Agent, generator: torch.Generator) -> RegularisedParts:
        """The policy with its start, the critics, the temperature."""
        bounds = (math.log(self.alpha), math.inf) if self.kl_budget is not None else None
        return RegularisedParts(
            self.policy(agent, generator, self.start),
            self.critics(agent, generator, n_critics=self.n_critics),
            parts.Dual.scalar(self.alpha, self.temperature_learning_rate, bounds),
        )

    def critic_target(self, agent: Agent, batch: Transitions) -> Tensor:
        """The target y (B,), within what rewards can add up to.

        A divergence is no less than 0, and the prior itself pays none: the best value regularised
        by it lies between the same two bounds.
        """
        target = super().critic_target(agent, batch)
        possible = agent.spaces.value_range(self.gamma) if self.bounded_values else None
        if possible is None:
            return target
        return target.clamp(*(bound / agent.parts.critic.unit for bound in possible))

    @property
    def demonstrations_in_replay(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether minibatches have a share of them."""
        return self.demonstration_share > 0

    def demonstrated_share(self) -> float | None:
        """`demonstration_share`."""
        return self.demonstration_share or None

    def kappa(
        self,
        policy: ActionDistribution,
        actions: Tensor,
        log_prob: Tensor,
        prior: Any,
    ) -> Tensor:
        """KL(pi || pi0) (B,), by the configured estimator."""
        if self.kl_estimator == "analytic":
            return parts.analytic_kl(policy, prior)
        return parts.sampled_kl(actions, log_prob, prior)

    def target(self, action_dim: int) -> float | None:
        """`target_kl`."""
        return self.target_kl

    def excess(self, agent: Agent, kappa: Tensor) -> Tensor | None:
        """Above `target_kl`; of a budget the relative excess of the mean, at most one.

        Cut off there, a short burst of divergence does not keep Adam from following its fall.
        """
        if self.kl_budget is None:
            return super().excess(agent, kappa)
        budget = self.kl_budget * agent.spaces.action_dim
        return (kappa.mean() / budget - 1.0).clamp(max=1.0)

    def reported(self, kappa: Tensor, batch: Transitions) -> Losses:
        """The divergence, and a Gaussian prior's standard deviation at the same states."""
        seen = {"prior_std": batch.prior_std.mean()} if batch.prior_std.numel() else {}
        return {"kl": kappa.mean()} | seen

    def collected_steps(self) -> int:
        """`rollout_steps`, in every round of the prior."""
        return self.rollout_steps * max(self.prior_rounds, 1)

    def phases(self, agent: Agent) -> list[Phase]:
        """What is set of distillation, rollouts or rounds and the critics' warm-up; then online."""
        first: list[Phase] = []
        if self.start == "distilled":
            epochs, batch_size = self.pretraining_epochs, self.pretraining_batch_size
            first += [distillation(self, agent, epochs, batch_size)]
        if self.prior_rounds:
            first += rounds(self, self.prior_rounds, self.rollout_steps, self.best_share)
        else:
            first += rollouts(self.rollout_steps)
        return [*first, *critic_warmup(self, self.critic_warmup_updates), ONLINE]
