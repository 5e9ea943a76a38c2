"""Gaussian policies whose standard deviation does not depend on the state (AWAC's hands, IQL)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from nppac_priors.deployed.spec import ActorSpec
from torch import Tensor, nn

from nppac_agents.parts.clamp import inward_clamp
from nppac_agents.parts.deployment import Deployed, network
from nppac_agents.parts.distributions import DiagonalGaussian
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.policy_network import POLICY_OUTPUT_BOUND
from nppac_agents.parts.standardiser import Standardiser


class ConstantStdPolicy(nn.Module):
    """Mean tanh(network(s)); one parameter p per action dimension, which starts at zero.

    The log standard deviation is low + (high - low) sigmoid(p) (the released code of Nair et al.
    2020), or p clamped to [low, high] (that of Kostrikov et al. 2022).

    Args:
        state_dim: S.
        action_dim: A.
        hidden: widths.
        log_std_range: low and high.
        bounding: how p is kept between them.
        standardiser: the input layer.
        generator: of the initial weights.
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        *,
        log_std_range: tuple[float, float],
        bounding: Literal["sigmoid", "clamp"],
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.standardiser = standardiser
        self.log_std_range = log_std_range
        self.bounding = bounding
        sizes = (state_dim, *hidden, action_dim)
        self.body = MLP(sizes, output_bound=POLICY_OUTPUT_BOUND, generator=generator)
        self.spread = nn.Parameter(torch.zeros(action_dim))

    def forward(self, states: Tensor) -> DiagonalGaussian:
        """The distribution over actions at states (B, S)."""
        mean = self.mode(states)
        return DiagonalGaussian(mean, self.log_std().exp().expand_as(mean))

    def log_std(self) -> Tensor:
        """(A,)."""
        low, high = self.log_std_range
        if self.bounding == "clamp":
            return inward_clamp(self.spread, low, high)
        return low + (high - low) * self.spread.sigmoid()

    def mode(self, states: Tensor) -> Tensor:
        """The mean (B, A)."""
        return self.body(self.standardiser(states)).tanh()

    def deployed(self) -> Deployed:
        """What acts, for an export."""
        fields, tensors = network(self.body, self.standardiser)
        spec = ActorSpec(form="constant-std", **fields)
        return spec, tensors | {"std": self.log_std().exp().detach()}
