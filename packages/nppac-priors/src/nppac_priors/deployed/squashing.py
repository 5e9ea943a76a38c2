"""Squashed normals: one that is near a prior, and the moments of the actions that one gives."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LEAST_MARGIN, MARGIN = 1e-4, 0.65
"""A squashed residual start keeps its mean this far from +-1: at least, and in units of sigma0."""
QUANTILE = 1.5
"""Where its lower tail, seen from the nearer edge, agrees with the prior's, in units of sigma0."""
WIDEST = 1.0
"""Its largest std before the tanh: about uniform; wider ones gather at the edges."""
_POINTS = 32


def squashed_prior(prior_mean: Tensor, prior_scale: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and std before the tanh of a squashed normal that is near the prior N(mu0, sigma0).

    By the slope of the tanh, std = sigma0 / (1 - m^2), as long as that is narrow. Near +-1 the
    slope changes within sigma0; there the quantile `QUANTILE` sigma0 further in agrees with the
    prior's, and the mean keeps `MARGIN` sigma0 from the edge, since half a prior at the edge lies
    beyond it. For |mu0| <= 1 and sigma0 from 0.001 to 0.5 the mean action is within sigma0 of mu0,
    and KL(pi || pi0) is below 0.92 nats per dimension, with pi0's density not renormalised to
    (-1, 1), as agents evaluate it; at the edge no policy within has less than log 2.

    Args:
        prior_mean: mu0 (B, A).
        prior_scale: sigma0 (B, A).
    """
    limit = (1.0 - (MARGIN * prior_scale).clamp(min=LEAST_MARGIN)).clamp(min=0.0)
    mean = prior_mean.clamp(-limit, limit)
    slope = 1.0 - mean.square()
    inner = QUANTILE * prior_scale
    # atanh(m) - atanh(m - inner), without the digits that a difference would lose
    reach = (inner / (slope + inner * mean.abs())).clamp(max=1.0 - LEAST_MARGIN).atanh()
    std = torch.minimum(prior_scale / slope, reach / QUANTILE).clamp(max=WIDEST)
    return mean.atanh(), std


def squashed_moments(mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and std (B, A) of tanh(x), x normal with these; Gauss-Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(_POINTS)
    nodes, shares = (torch.as_tensor(x, dtype=mean.dtype) for x in (points, weights))
    shares = (shares / shares.sum()).to(mean.device)
    actions = (mean[..., None] + std[..., None] * nodes.to(mean.device)).tanh()
    centre = (actions * shares).sum(-1)
    spread = ((actions - centre[..., None]).square() * shares).sum(-1)
    return centre, spread.sqrt()
