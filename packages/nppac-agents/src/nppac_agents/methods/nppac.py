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

Policies with another start have the paper's settings by default (`nppac_settings`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from nppac_agents import parts
from nppac_agents.methods.actor_critic import RegularisedParts
from nppac_agents.methods.asks_prior import AsksPrior
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


class NPPAC(AsksPrior):
    """N-PPAC: actor-critic regularised by KL(policy || behavioural prior) (Rudner et al. 2021).

    Defaults are those of a `residual` start; with `distilled` and `fresh`, fields that are left
    out have the paper's values, as a run's `config.json` shows.
    """

    kind: Literal["nppac"] = "nppac"  # pyright: ignore[reportIncompatibleVariableOverride]

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
        first = [distillation(self, agent)] if self.start == "distilled" else []
        if self.prior_rounds:
            first += rounds(self, self.prior_rounds, self.rollout_steps, self.best_share)
        else:
            first += rollouts(self.rollout_steps)
        return [*first, *critic_warmup(self, self.critic_warmup_updates), ONLINE]
