"""The Gaussian policy network pi(a|s) with its ways to start, unsquashed or squashed.

========== ==============================================================================
start      the untrained policy
========== ==============================================================================
fresh      near zero mean, unit standard deviation: no knowledge of the prior
distilled  the same network; the agent then minimises KL(pi || pi0) on demonstration states
residual   the prior itself: the network's zero-initialised last layer is a correction to it
========== ==============================================================================

Residual, unsquashed: mean = mu0 + delta, std = sigma0 exp(rho), which is the prior exactly.
Residual, squashed: pre-tanh mean = atanh(clip(mu0)) + delta, pre-tanh std =
sigma0 / (1 - mu0^2) exp(rho), the prior to first order in sigma0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from nppac_agents.parts.clamp import inward_clamp
from nppac_agents.parts.distributions import (
    ActionDistribution,
    DiagonalGaussian,
    SquashedGaussian,
)
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.standardiser import Standardiser

Start = Literal["distilled", "residual", "fresh"]

LOG_STD_RANGE = (-20.0, 2.0)
"""Bounds of the log standard deviation, of the published code; there without gradient outside."""
LOG_RATIO_RANGE = (-5.0, 2.0)
"""Bounds of rho = log(std / sigma0) of a residual policy."""
POLICY_OUTPUT_BOUND = 1e-3
SATURATION = 1.0 - 1e-4
"""Prior means are clipped to +-this before atanh."""


class PolicyNetwork(nn.Module):
    """Maps states, and for a residual policy the prior's moments, to an action distribution."""

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        *,
        start: Start,
        squash: bool,
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.start = start
        self.needs_prior = start == "residual"
        self.squash = squash
        self.standardiser = standardiser
        self.body = MLP(
            (state_dim, *hidden, 2 * action_dim),
            output_bound=0.0 if start == "residual" else POLICY_OUTPUT_BOUND,
            generator=generator,
        )

    def forward(self, states: Tensor, prior: DiagonalGaussian | None = None) -> ActionDistribution:
        """The distribution over actions at states (B, S).

        The prior's normal there, as the KL divergence sees it, is read by a residual policy only.
        """
        shift, log_scale = self.body(self.standardiser(states)).chunk(2, dim=-1)
        if self.needs_prior:
            assert prior is not None
            ratio = inward_clamp(log_scale, *LOG_RATIO_RANGE).exp()
            return self._residual(shift, ratio, prior.mean, prior.std)
        std = inward_clamp(log_scale, *LOG_STD_RANGE).exp()
        return SquashedGaussian(shift, std) if self.squash else DiagonalGaussian(shift.tanh(), std)

    def mode(self, states: Tensor, prior_mean: Tensor | None = None) -> Tensor:
        """The deterministic action (B, A); a residual policy needs the prior's mean only."""
        if prior_mean is None:
            return self(states).mode()
        return self(states, DiagonalGaussian(prior_mean, torch.ones_like(prior_mean))).mode()

    def _residual(
        self, shift: Tensor, ratio: Tensor, prior_mean: Tensor, prior_scale: Tensor
    ) -> ActionDistribution:
        if not self.squash:
            return DiagonalGaussian(prior_mean + shift, prior_scale * ratio)
        mean = prior_mean.clamp(-SATURATION, SATURATION)
        slope = 1.0 - mean.square()
        std = (prior_scale / slope).clamp(max=math.exp(LOG_STD_RANGE[1])) * ratio
        return SquashedGaussian(mean.atanh() + shift, std)
