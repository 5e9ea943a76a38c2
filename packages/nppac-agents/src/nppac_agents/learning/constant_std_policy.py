"""A Gaussian policy whose standard deviation does not depend on the state (AWAC's hand tasks)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nppac_agents.learning.distributions import DiagonalGaussian
from nppac_agents.learning.networks import MLP, Standardiser
from nppac_agents.learning.policy_network import POLICY_OUTPUT_BOUND, ActorNetwork

LOWEST_LOG_STD = -6.0


class ConstantStdPolicy(ActorNetwork):
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

    def forward(
        self, states: Tensor, prior_mean: Tensor | None, prior_scale: Tensor | None
    ) -> DiagonalGaussian:
        """The distribution over actions at states (B, S); the prior is not read."""
        mean = self.body(self.standardiser(states)).tanh()
        std = (LOWEST_LOG_STD * (1.0 - self.spread.sigmoid())).exp()
        return DiagonalGaussian(mean, std.expand_as(mean))

    def mode(
        self, states: Tensor, prior_mean: Tensor | None, prior_scale: Tensor | None = None
    ) -> Tensor:
        """The mean (B, A)."""
        return self.body(self.standardiser(states)).tanh()
