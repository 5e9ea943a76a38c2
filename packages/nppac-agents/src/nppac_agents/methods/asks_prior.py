"""How N-PPAC asks the behavioural prior: for a minibatch, and while a residual policy acts.

A Gaussian prior was asked once for every stored state, as it was collected, and a minibatch has the
answers; another one is asked anew. A residual policy is the prior, corrected by a network, so that
it asks at every state in which it acts: for the mean alone where that is all that it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from nppac_priors.deployed.prior_scale import PriorScale, scaled
from pydantic import Field

from nppac_agents import parts
from nppac_agents.methods.actor_critic import RegularisedActorCritic
from nppac_agents.requirements import require_demonstrations

if TYPE_CHECKING:
    from nppac_envs import Demonstrations
    from nppac_priors import Prior
    from torch import Tensor

    from nppac_agents.agent import Agent
    from nppac_agents.data.transitions import Transitions
    from nppac_agents.parts import DiagonalGaussian, TrustRegion
    from nppac_agents.parts.deployment import Deployed
    from nppac_agents.parts.distributions import ActionDistribution
    from nppac_agents.spaces import Spaces


class AsksPrior(RegularisedActorCritic):
    """How far a policy starts from its prior, the prior's answers, and acting with them."""

    start: Literal["distilled", "residual", "fresh"] = "residual"
    """How the policy starts: `distilled` on the demonstration states (the paper), `residual` as the
    prior itself plus a learned correction, `fresh` without the prior."""
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

    def trust(self, agent: Agent) -> TrustRegion | None:
        """The bound of a residual policy's correction, where there is one."""
        if self.trust_region is None:
            return None
        return parts.TrustRegion(self.trust_region, scaled(agent.std_on_data, self.prior_scale))

    def needs_gaussian_prior(self) -> bool:
        """Unless its log-density is all that is asked for."""
        density = self.start != "residual" and self.kl_estimator == "sampled"
        return not density or self.prior_scale != "std"

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
