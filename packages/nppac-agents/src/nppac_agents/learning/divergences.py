"""KL divergence from the policy to the behavioural prior, the regulariser of N-PPAC.

``sampled_kl`` is the published code's one-sample estimate log pi(a|s) - log pi0(a|s) with a ~ pi,
for every policy. ``analytic_kl`` is its expectation where both are diagonal Gaussians: the same
mean, no sampling noise.
"""

from __future__ import annotations

from torch import Tensor

from nppac_agents.learning.distributions import DiagonalGaussian, gaussian_log_prob


def sampled_kl(actions: Tensor, log_prob: Tensor, prior_mean: Tensor, prior_std: Tensor) -> Tensor:
    """One-sample KL(pi || pi0) in nats, (B,), of actions (B, A) drawn with log-density (B,)."""
    return log_prob - gaussian_log_prob(actions, prior_mean, prior_std)


def analytic_kl(policy: DiagonalGaussian, prior_mean: Tensor, prior_std: Tensor) -> Tensor:
    """Exact KL(pi || pi0) in nats, (B,), between diagonal Gaussians of shape (B, A)."""
    ratio = policy.std / prior_std
    shift = (policy.mean - prior_mean) / prior_std
    return (0.5 * (ratio.square() + shift.square() - 1.0) - ratio.log()).sum(-1)
