"""What regularising with a prior will cost, before any training.

The policy of the forecast is off by `MEAN_OFFSET` in every action dimension from the prior's own
mean, and as sure of itself as the prior is on its data. Where the prior's variance collapses, both
the KL divergence and its gradient grow as 1 / variance (Rudner et al. 2021, Prop. 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MEAN_OFFSET = 0.1
"""Distance between the means of policy and prior, in action units, in every dimension."""


@dataclass(frozen=True)
class Summary:
    """Mean, median and 95th percentile over states."""

    mean: float
    median: float
    p95: float


@dataclass(frozen=True)
class Forecast:
    """The forecast over a set of states.

    Attributes:
        kl: KL(policy || prior), nats, summed over action dimensions.
        gradient_norm: Euclidean norm of the gradient of that divergence with respect to the
            policy's means and log standard deviations, over all action dimensions.
    """

    kl: Summary
    gradient_norm: Summary


def forecast(prior_std: Tensor, policy_std: Tensor) -> Forecast:
    """Forecast for states where the prior's standard deviation is known.

    Args:
        prior_std: (N, A).
        policy_std: (A,), the prior's median standard deviation on its data.
    """
    prior_std, policy_std = prior_std.double(), policy_std.double()
    return Forecast(
        kl=_summary(kl_divergence(prior_std, policy_std)),
        gradient_norm=_summary(gradient_norm(prior_std, policy_std)),
    )


def kl_divergence(prior_std: Tensor, policy_std: Tensor) -> Tensor:
    """KL(N(mean + offset, policy_std^2) || N(mean, prior_std^2)) for each state (N,), nats."""
    variance_ratio = (policy_std / prior_std).square()
    shift = (MEAN_OFFSET / prior_std).square()
    return 0.5 * (variance_ratio + shift - 1 - variance_ratio.log()).sum(dim=1)


def gradient_norm(prior_std: Tensor, policy_std: Tensor) -> Tensor:
    """Norm (N,) of that divergence's gradient with respect to means and log standard deviations.

    In each dimension: offset / prior_std^2, and policy_std^2 / prior_std^2 - 1.
    """
    to_mean = MEAN_OFFSET / prior_std.square()
    to_log_std = (policy_std / prior_std).square() - 1
    return (to_mean.square() + to_log_std.square()).sum(dim=1).sqrt()


def _summary(values: Tensor) -> Summary:
    quantiles = torch.tensor([0.5, 0.95], dtype=values.dtype, device=values.device)
    median, p95 = torch.quantile(values, quantiles).tolist()
    return Summary(mean=float(values.mean()), median=median, p95=p95)
