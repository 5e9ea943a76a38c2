"""KL divergence from the policy to the behavioural prior, the regulariser of N-PPAC.

`sampled_kl` is the published code's one-sample estimate log pi(a|s) - log pi0(a|s) with a ~ pi,
for every policy and every prior with a density. `analytic_kl` is its expectation where both are
diagonal Gaussians: the same mean, no sampling noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.parts.distributions import ActionDistribution, DiagonalGaussian


def sampled_kl(actions: Tensor, log_prob: Tensor, prior: DiagonalGaussian) -> Tensor:
    """One-sample KL(pi || pi0) in nats, (B,), of actions (B, A) drawn with log-density (B,)."""
    return log_prob - prior.log_prob(actions)


def analytic_kl(policy: ActionDistribution, prior: DiagonalGaussian) -> Tensor:
    """Exact KL(pi || pi0) in nats, (B,), between diagonal Gaussians of shape (B, A)."""
    ratio = policy.std / prior.std
    shift = (policy.mean - prior.mean) / prior.std
    return (0.5 * (ratio.square() + shift.square() - 1.0) - ratio.log()).sum(-1)
