"""KL divergence from the policy to the behavioural prior, the regulariser of N-PPAC.

``sampled_kl`` is the published code's one-sample estimate log pi(a|s) - log pi0(a|s) with a ~ pi,
for every policy. ``analytic_kl`` is its expectation where both are diagonal Gaussians: the same
mean, no sampling noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from nppac_agents.learning.distributions import ActionDistribution

LOG_SQRT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def gaussian_log_prob(actions: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Log-density (B,) of actions (B, A) under normals with standard deviation ``std`` (B, A)."""
    whitened = (actions - mean) / std
    return -(0.5 * whitened.square() + std.log() + LOG_SQRT_TWO_PI).sum(-1)


def sampled_kl(actions: Tensor, log_prob: Tensor, prior_mean: Tensor, prior_std: Tensor) -> Tensor:
    """One-sample KL(pi || pi0) in nats, (B,), of actions (B, A) drawn with log-density (B,)."""
    return log_prob - gaussian_log_prob(actions, prior_mean, prior_std)


def analytic_kl(policy: ActionDistribution, prior_mean: Tensor, prior_std: Tensor) -> Tensor:
    """Exact KL(pi || pi0) in nats, (B,), between diagonal Gaussians of shape (B, A)."""
    ratio = policy.std / prior_std
    shift = (policy.mean - prior_mean) / prior_std
    return (0.5 * (ratio.square() + shift.square() - 1.0) - ratio.log()).sum(-1)
