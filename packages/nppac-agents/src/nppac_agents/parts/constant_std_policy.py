"""A Gaussian policy whose standard deviation does not depend on the state (AWAC's hand tasks)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nppac_agents.parts.distributions import DiagonalGaussian
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.policy_network import POLICY_OUTPUT_BOUND
from nppac_agents.parts.standardiser import Standardiser

LOWEST_LOG_STD = -6.0


class ConstantStdPolicy(nn.Module):
    """Mean tanh(network(s)); log standard deviation -6 + 6 sigmoid(parameter), so in [-6, 0].

    Source: the released code of Nair et al. 2020, whose parameters start at zero (std e^-3).
    """

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        *,
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.standardiser = standardiser
        sizes = (state_dim, *hidden, action_dim)
        self.body = MLP(sizes, output_bound=POLICY_OUTPUT_BOUND, generator=generator)
        self.spread = nn.Parameter(torch.zeros(action_dim))

    def forward(self, states: Tensor) -> DiagonalGaussian:
        """The distribution over actions at states (B, S)."""
        mean = self.body(self.standardiser(states)).tanh()
        std = (LOWEST_LOG_STD * (1.0 - self.spread.sigmoid())).exp()
        return DiagonalGaussian(mean, std.expand_as(mean))

    def mode(self, states: Tensor) -> Tensor:
        """The mean (B, A)."""
        return self.body(self.standardiser(states)).tanh()
