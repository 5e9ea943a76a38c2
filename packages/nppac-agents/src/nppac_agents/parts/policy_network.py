"""The Gaussian policy network pi(a|s) with its ways to start, unsquashed or squashed.

========== ==============================================================================
start      the untrained policy
========== ==============================================================================
fresh      near zero mean, unit standard deviation: no knowledge of the prior
distilled  the same network; the agent then minimises KL(pi || pi0) on demonstration states
residual   the prior itself: the network's zero-initialised last layer is a correction to it
========== ==============================================================================

Residual, unsquashed: mean = mu0 + delta, std = sigma0 exp(rho), which is the prior exactly.
Residual, squashed: mean and std before the tanh are m0 + delta and s0 exp(rho), with m0 and s0 of
`squashed_prior`, which is near the prior up to the bounds of the action space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from nppac_priors.deployed.prior_scale import PriorScale
from nppac_priors.deployed.spec import ActorSpec
from nppac_priors.deployed.squashing import squashed_prior
from torch import Tensor, nn

from nppac_agents.parts.clamp import inward_clamp
from nppac_agents.parts.deployment import Deployed, network
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


class TrustRegion(nn.Module):
    """Bounds a residual policy's correction, per state and dimension, in the prior's own scale.

    shift = b tanh(x / width), b = width min(sigma0(s), sigma_data): as long as it is small, the
    network's output x is the shift in standard deviations, and nothing that the critics say moves
    a mean further than `width` of them. Off the demonstrations, where sigma0 is wide and the
    critics know least, the std on the data bounds it.

    Args:
        width: the largest shift, in standard deviations.
        std_on_data: sigma_data (A,), the median std of the prior on the demonstrated states.
    """

    std_on_data: Tensor

    def __init__(self, width: float, std_on_data: Tensor) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("std_on_data", std_on_data)

    def forward(self, outputs: Tensor, prior_std: Tensor) -> Tensor:
        """Shifts (B, A) of the mean, from the network's outputs (B, A) and sigma0 (B, A)."""
        reach = self.width * prior_std.minimum(self.std_on_data)
        return reach * (outputs / self.width).tanh()


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
        trust: TrustRegion | None = None,
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.trust = trust
        self.start = start
        self.needs_prior = start == "residual"
        self.mode_needs_scale = self.needs_prior and (squash or trust is not None)
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

    def mode(
        self, states: Tensor, prior_mean: Tensor | None = None, prior_scale: Tensor | None = None
    ) -> Tensor:
        """The deterministic action (B, A); `mode_needs_scale` says if it reads the prior's."""
        if prior_mean is None:
            return self(states).mode()
        assert not self.mode_needs_scale or prior_scale is not None
        scale = torch.ones_like(prior_mean) if prior_scale is None else prior_scale
        return self(states, DiagonalGaussian(prior_mean, scale)).mode()

    def deployed(self, prior_scale: PriorScale = "std") -> Deployed:
        """What acts, for an export; `prior_scale` is what a residual policy is given."""
        fields, tensors = network(self.body, self.standardiser)
        if self.trust is not None:
            fields |= {"trust_width": self.trust.width}
            tensors |= {"std_on_data": self.trust.std_on_data}
        residual = {"form": "residual", "log_range": LOG_RATIO_RANGE, "prior_scale": prior_scale}
        form = residual if self.needs_prior else {"form": "gaussian", "log_range": LOG_STD_RANGE}
        return ActorSpec(squash=self.squash, **fields, **form), tensors

    def _residual(
        self, shift: Tensor, ratio: Tensor, prior_mean: Tensor, prior_scale: Tensor
    ) -> ActionDistribution:
        mean, std = prior_mean, prior_scale
        if self.trust is not None:
            shift = self.trust(shift, prior_scale)
        if not self.squash:
            return DiagonalGaussian(mean + shift, std * ratio)
        mean, std = squashed_prior(prior_mean, prior_scale)
        return SquashedGaussian(mean + shift, std * ratio)
