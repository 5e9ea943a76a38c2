"""N-PPAC: non-parametric prior actor-critic (Rudner et al. 2021, section 4 and appendix A).

The regularised actor-critic with kappa the divergence KL(pi || pi0) of the policy from the
behavioural prior pi0 at s. The gradient of the actor loss passes through log pi0(a), never into the
prior. A learned temperature holds the divergence at ``target_kl`` nats.

A prior that is not Gaussian is asked in every update for its log-density; the sampled estimate then
holds a policy to it that starts fresh or distilled.

A residual policy is the prior, corrected by a network; a distilled one is first fitted to it:
minimise E_s [KL(pi(.|s) || pi0(.|s))] over minibatches of shuffled demonstration states, with the
optimizer that goes on online (appendix I).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from nppac_agents import parts
from nppac_agents.methods.actor_critic import RegularisedActorCritic, RegularisedParts
from nppac_agents.methods.base import BatchSize, Width
from nppac_agents.phase import ONLINE, Losses, Phase
from nppac_agents.requirements import require_demonstrations, require_dimensions

if TYPE_CHECKING:
    import torch
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.replay import TensorReplay
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import DiagonalGaussian
    from nppac_agents.parts.distributions import ActionDistribution
    from nppac_agents.spaces import Spaces


class NPPAC(RegularisedActorCritic):
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
    batch_size: BatchSize = Field(default=1024, description="Transitions per update.")
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

    def parts(self, agent: Agent, generator: torch.Generator) -> RegularisedParts:
        """The policy with its start, two critics, the temperature."""
        policy = self.policy(agent, generator, self.start)
        return super().parts(agent, generator)._replace(policy=policy)

    def update(self, agent: Agent, batch: Transitions) -> Losses:
        """Critics; after their warm-up, policy and temperature; slow critics."""
        losses = self.critic_step(agent, batch)
        if agent.updates >= self.critic_warmup_updates:
            losses |= self.actor_step(agent, batch)
        agent.parts.critic.follow(self.tau)
        return losses

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

    def reported(self, kappa: Tensor, batch: Transitions) -> Losses:
        """The divergence, and a Gaussian prior's standard deviation at the same states."""
        seen = {"prior_std": batch.prior_std.mean()} if batch.prior_std.numel() else {}
        return {"kl": kappa.mean()} | seen

    # The prior.

    def normal(self, mean: Tensor, std: Tensor) -> DiagonalGaussian:
        """The prior as the KL sees it, from its mean and standard deviation (B, A)."""
        return parts.DiagonalGaussian(mean, std if self.prior_scale == "std" else std.square())

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
        policy, seen, observed = agent.parts.policy, states.cpu().numpy(), agent.observed
        assert observed is not None
        if deterministic and self.squash:
            prior = self.normal(*observed.afresh(seen))
            return policy.net.mode(states, prior.mean, prior.std)
        if deterministic:
            return policy.net.mode(states, observed.mean(seen))
        return policy(states, self.normal(*observed.moments(seen))).sample(agent.acting)[0]

    # The distilled start.

    def phases(self, agent: Agent) -> list[Phase]:
        """Distillation on the demonstrated states first, where the policy starts so."""
        if self.start != "distilled":
            return [ONLINE]
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
        return [distillation, ONLINE]

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
