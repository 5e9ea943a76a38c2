"""N-PPAC: non-parametric prior actor-critic (Rudner et al. 2021, section 4 and appendix A).

The regularised actor-critic with kappa the divergence KL(pi || pi0) of the policy from the
behavioural prior pi0 at s. The gradient of the actor loss passes through log pi0(a), never into the
prior. A learned temperature holds the divergence at ``target_kl`` nats.

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

Some fifty updates an episode suit it (``training.updates_per_step``, a quarter for episodes of 200
steps): from few episodes, more teach the critics what these happened to have.

Policies with another start have the paper's settings by default (``PUBLISHED``).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Literal, Self

from nppac_priors.deployed.prior_scale import PriorScale, scaled
from pydantic import Field, model_validator

from nppac_agents import parts
from nppac_agents.methods.actor_critic import RegularisedActorCritic, RegularisedParts
from nppac_agents.methods.base import BatchSize, LearningRate, inherited
from nppac_agents.methods.prior_rounds import rounds
from nppac_agents.phase import ONLINE, Losses, Phase, rollouts
from nppac_agents.requirements import require_demonstrations, require_dimensions

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import DiagonalGaussian, TrustRegion
    from nppac_agents.parts.deployment import Deployed
    from nppac_agents.parts.distributions import ActionDistribution
    from nppac_agents.spaces import Spaces


PUBLISHED: dict[str, Any] = {
    "kl_budget": None, "trust_region": None, "kl_estimator": "sampled",
    "timeouts_are_terminal": True, "batch_size": 1024, "policy_hidden": (256, 256, 256, 256),
    "n_steps": 1, "policy_learning_rate": 3e-4, "relative_rewards": False,
    "critic_layer_norm": False, "standardise_states": False, "bounded_values": False,
    "target_action": "sample", "mode_share": 0.0, "staggered_resets": False,
    "temperature_learning_rate": 3e-4,
}  # fmt: skip
"""What the paper sets, as defaults of every start but the residual one"""
HELD_OUT = 8
"""One in so many rollouts is held out of the critics' warm-up"""


class NPPAC(RegularisedActorCritic):
    """N-PPAC: actor-critic regularised by KL(policy || behavioural prior) (Rudner et al. 2021).

    Defaults are those of a `residual` start; with `distilled` and `fresh`, fields that are left
    out have the paper's values, as a run's `config.json` shows.
    """

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
        description="Temperature: the weight of the KL divergence, in reward; with kl_budget the "
        "least that it falls to.",
    )
    target_kl: float | None = Field(
        default=None,
        gt=0,
        description="Tune alpha as a dual variable that holds the KL at this many nats; null keeps "
        "alpha fixed. The paper's tuned variant uses one nat per action dimension.",
    )
    kl_budget: float | None = Field(
        default=0.015,
        gt=0,
        description="Nats per action dimension above which alpha rises, and below which it falls "
        "back to its first value; null lets the divergence grow.",
    )
    trust_region: float | None = Field(
        default=1.0,
        gt=0,
        le=100,
        description="Largest shift of a residual policy's mean from the prior's, per state and "
        "dimension, in units of prior_scale there or on the demonstrations, whichever is smaller; "
        "null bounds none.",
    )
    kl_estimator: Literal["sampled", "analytic"] = Field(
        default="analytic",
        description="`sampled`: log pi - log pi0 at one action (the paper; a squashed policy); "
        "`analytic`: the exact divergence between Gaussians, for an unsquashed policy only.",
    )
    prior_scale: PriorScale = Field(
        default="std",
        description="Scale of the prior's normal, in which a residual policy starts and the "
        "divergence is measured: its standard deviation (`std`, the paper's text), its variance "
        "(what the published code passes), or a share of its standard deviation, with which it "
        "explores less.",
    )
    timeouts_are_terminal: bool = Field(
        default=False,
        description="Whether the critic target stops at the time limit (published code: yes on "
        "hand tasks, no on locomotion).",
    )
    batch_size: BatchSize = Field(default=256, description="Transitions per update.")
    n_steps: int = inherited(RegularisedActorCritic, "n_steps", 5)
    policy_learning_rate: LearningRate = inherited(
        RegularisedActorCritic, "policy_learning_rate", 1e-4
    )
    target_action: Literal["sample", "mode"] = inherited(
        RegularisedActorCritic, "target_action", "mode"
    )
    mode_share: float = inherited(RegularisedActorCritic, "mode_share", 0.5)
    staggered_resets: bool = inherited(RegularisedActorCritic, "staggered_resets", True)
    relative_rewards: bool = inherited(RegularisedActorCritic, "relative_rewards", True)
    critic_layer_norm: bool = inherited(RegularisedActorCritic, "critic_layer_norm", True)
    standardise_states: bool = inherited(RegularisedActorCritic, "standardise_states", True)
    temperature_learning_rate: LearningRate = inherited(
        RegularisedActorCritic, "temperature_learning_rate", 3e-3
    )
    bounded_values: bool = Field(
        default=True,
        description="Keep critic targets within the sums of rewards that are possible, where the "
        "environment's least and greatest reward are known.",
    )
    demonstration_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of demonstrated transitions, with their rewards, in a minibatch.",
    )
    rollout_steps: int = Field(
        default=0,
        ge=0,
        description="Environment steps that the starting policy collects before any update; they "
        "count.",
    )
    prior_rounds: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Times that the prior is fitted anew, each after `rollout_steps` more of its "
        "own rollouts, to the best episodes so far, before the policy learns; for a residual "
        "start.",
    )
    best_share: float = Field(
        default=0.4,
        gt=0,
        le=1,
        description="Share of all episodes, demonstrated or its own, that the prior is fitted to "
        "then; by their return, and none as bad as the worst.",
    )
    critic_warmup_updates: int = Field(
        default=0,
        ge=0,
        description="Most updates of the critics alone, on these rollouts, before the policy "
        "learns; they end once the error on held-out rollouts falls no further.",
    )
    pretraining_epochs: int = Field(
        default=400,
        ge=1,
        description="Passes over the demonstration states of a `distilled` start.",
    )
    pretraining_batch_size: int = Field(
        default=64, ge=1, description="Demonstration states per distillation update."
    )

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

    def trust(self, agent: Agent) -> TrustRegion | None:
        """The bound of a residual policy's correction, where there is one."""
        if self.trust_region is None:
            return None
        return parts.TrustRegion(self.trust_region, scaled(agent.std_on_data, self.prior_scale))

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

    def warm_up(self, agent: Agent, batch: Transitions) -> Losses:
        """Critics and their slow copies, while the policy stays at its start."""
        losses = self.critic_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        return losses

    @property
    def demonstrations_in_replay(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether minibatches have a share of them."""
        return self.demonstration_share > 0

    def demonstrated_share(self) -> float | None:
        """``demonstration_share``."""
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
        """``target_kl``."""
        return self.target_kl

    def excess(self, agent: Agent, kappa: Tensor) -> Tensor | None:
        """Above ``target_kl``; of a budget the relative excess of the mean, at most one.

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

    # The prior.

    def normal(self, mean: Tensor, std: Tensor) -> DiagonalGaussian:
        """The prior as the KL sees it, from its mean and standard deviation (B, A)."""
        return parts.DiagonalGaussian(mean, scaled(std, self.prior_scale))

    def prior_at(self, agent: Agent, batch: Transitions) -> Any:
        """At s."""
        if agent.observed is None:
            return self.answer(agent, batch.states)
        return self.normal(batch.prior_mean, batch.prior_std)

    def prior_after(self, agent: Agent, batch: Transitions) -> Any:
        """At s'."""
        if agent.observed is None:
            return self.answer(agent, batch.next_states)
        return self.normal(batch.next_prior_mean, batch.next_prior_std)

    def answer(self, agent: Agent, states: Tensor) -> Any:
        """What a prior that is not Gaussian says of states (B, S), asked anew each time."""
        assert agent.prior is not None
        return agent.prior(states)

    def act(self, agent: Agent, states: Tensor, *, deterministic: bool) -> Tensor:
        """The mode, or a sample; a residual policy asks the prior first."""
        if self.start != "residual":
            return super().act(agent, states, deterministic=deterministic)
        if not deterministic:
            return self.acting_policy(agent, states).sample(agent.acting)[0]
        policy, seen, observed = agent.parts.policy, states.cpu().numpy(), agent.observed
        assert observed is not None
        if policy.net.mode_needs_scale:
            prior = self.normal(*observed.afresh(seen))
            return policy.net.mode(states, prior.mean, prior.std)
        return policy.net.mode(states, observed.mean(seen))

    def explore(self, agent: Agent, states: Tensor, modes: Tensor) -> Tensor:
        """Samples and modes of one distribution; a residual policy asks the prior once."""
        if self.start != "residual":
            return super().explore(agent, states, modes)
        policy = self.acting_policy(agent, states)
        return policy.mode().where(modes[:, None], policy.sample(agent.acting)[0])

    def acting_policy(self, agent: Agent, states: Tensor) -> ActionDistribution:
        """A residual policy at states (B, S), with the prior as the rollouts remember it."""
        observed = agent.observed
        assert observed is not None
        prior = self.normal(*observed.moments(states.cpu().numpy()))
        return agent.parts.policy(states, prior)

    def deployed(self, agent: Agent) -> Deployed:
        """The policy's network, with what it reads of the prior."""
        return agent.parts.policy.net.deployed(self.prior_scale)

    # What comes first.

    def phases(self, agent: Agent) -> list[Phase]:
        """Distillation on the demonstrated states first, where the policy starts so."""
        first = rollouts(self.rollout_steps)
        if self.prior_rounds:
            first = rounds(self, self.prior_rounds, self.rollout_steps, self.best_share)
        learning = [*first, *self.warming(), ONLINE]
        if self.start != "distilled":
            return learning
        states = agent.demonstrated_states(agent.device)
        passes = parts.shuffled_passes(len(states), self.pretraining_batch_size, agent.noise)
        prior = functools.cache(lambda: self.normal(*agent.moments(states)))

        def batch(agent: Agent, replay: TensorReplay | None) -> tuple[Tensor, Any]:
            rows = next(passes)
            if agent.observed is None:
                return states[rows], self.answer(agent, states[rows])
            return states[rows], parts.DiagonalGaussian(prior().mean[rows], prior().std[rows])

        updates = self.pretraining_epochs * math.ceil(len(states) / self.pretraining_batch_size)
        distillation = Phase("pretrain", updates, update=self.distil, batch=batch, prepares=True)
        return [distillation, *learning]

    def warming(self) -> list[Phase]:
        """The critics' warm-up; no phase for no updates."""
        updates = self.critic_warmup_updates
        if not updates:
            return []
        return [
            Phase(
                "warm-up",
                updates,
                update=self.warm_up,
                batch=self.not_held_out,
                error=self.held_out_error,
                evaluates=False,
            )
        ]

    def not_held_out(self, agent: Agent, replay: TensorReplay | None) -> Transitions:
        """A minibatch of the rollouts that the critics' error is not measured on."""
        assert replay is not None
        return replay.sample_transitions(self.batch_size, held_out=len(replay) // HELD_OUT)

    def held_out_error(self, agent: Agent, replay: TensorReplay) -> float:
        """The share of the variance of held-out returns that the critics do not explain."""
        held_out = replay.in_order(first=len(replay) // HELD_OUT)
        return parts.unexplained(agent.parts.critic, held_out, self.gamma)

    def distil(self, agent: Agent, batch: tuple[Tensor, Any]) -> Losses:
        """One step of the policy towards the prior at states (B, S)."""
        states, prior = batch
        policy = agent.parts.policy(states, prior)
        actions, log_prob = policy.sample(agent.noise)
        divergence = self.kappa(policy, actions, log_prob, prior).mean()
        return {"kl": divergence, "actor_grad_norm": agent.parts.policy.descend(divergence)}

    def require_prior(self, spaces: Spaces, prior: Prior | None) -> None:
        """A Gaussian one, unless its log-density is all that is asked for."""
        density = self.start != "residual" and self.kl_estimator == "sampled"
        if density and self.prior_scale == "std":
            require_dimensions(self.kind, spaces, prior)
        else:
            super().require_prior(spaces, prior)

    def require(
        self, spaces: Spaces, prior: Prior | None, demonstrations: Demonstrations | None
    ) -> None:
        """A prior; demonstrations where the policy is distilled on them."""
        super().require(spaces, prior, demonstrations)
        if self.start == "distilled":
            require_demonstrations(self.kind, "a distilled start", demonstrations)
        if self.trust_region is not None:
            require_demonstrations(
                self.kind, "the prior's usual std, for trust_region", demonstrations
            )
