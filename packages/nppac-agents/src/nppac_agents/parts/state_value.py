"""A state-value network V(s)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nppac_agents.parts.critics import CRITIC_OUTPUT_BOUND
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.standardiser import Standardiser


class StateValue(nn.Module):
    """V(s): a multilayer perceptron that starts near zero, as critics do."""

    def __init__(
        self,
        state_dim: int,
        hidden: Sequence[int],
        *,
        standardiser: Standardiser,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.standardiser = standardiser
        sizes = (state_dim, *hidden, 1)
        self.body = MLP(sizes, output_bound=CRITIC_OUTPUT_BOUND, generator=generator)

    def forward(self, states: Tensor) -> Tensor:
        """Values (B,) of states (B, S)."""
        return self.body(self.standardiser(states)).squeeze(1)
