"""A network that moves actions a little way (Fujimoto et al. 2019, BCQ)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.policy_network import POLICY_OUTPUT_BOUND
from nppac_agents.parts.standardiser import Standardiser


class Perturbation(nn.Module):
    """xi(s, a) = clip(a + reach tanh(network(s, a)), -1, 1); it starts close to the identity."""

    def __init__(
        self,
        state_dim: int,
        action_dim: int,
        hidden: Sequence[int],
        *,
        reach: float,
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.reach = reach
        self.standardiser = standardiser
        sizes = (state_dim + action_dim, *hidden, action_dim)
        self.body = MLP(sizes, output_bound=POLICY_OUTPUT_BOUND, generator=generator)

    def forward(self, states: Tensor, actions: Tensor) -> Tensor:
        """Moved actions (..., B, A) of states (B, S) and actions (..., B, A) in [-1, 1]."""
        inputs = self.standardiser(states).expand(*actions.shape[:-1], -1)
        moves = self.body(torch.cat([inputs, actions], dim=-1)).tanh()
        return (actions + self.reach * moves).clamp(-1.0, 1.0)
