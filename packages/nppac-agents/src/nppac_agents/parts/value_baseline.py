"""What an on-policy method expects of a state at its time in the episode (DAPG's baseline)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nppac_agents.parts.critics import CRITIC_OUTPUT_BOUND
from nppac_agents.parts.mlp import MLP

STATE_BOUND = 10.0
TIME_UNIT = 1_000.0
TIME_POWERS = 4


class ValueBaseline(nn.Module):
    """V(s, t) on clip(s, -10, 10) / 10 and t/1000, its square, cube and fourth power.

    Source: the released code of Rajeswaran et al. 2018.
    """

    def __init__(
        self, state_dim: int, hidden: Sequence[int], *, generator: torch.Generator
    ) -> None:
        super().__init__()
        sizes = (state_dim + TIME_POWERS, *hidden, 1)
        self.body = MLP(sizes, output_bound=CRITIC_OUTPUT_BOUND, generator=generator)

    def forward(self, states: Tensor, times: Tensor) -> Tensor:
        """Values (B,) of states (B, S), `times` (B,) environment steps after the reset."""
        bounded = states.clamp(-STATE_BOUND, STATE_BOUND) / STATE_BOUND
        elapsed = times.unsqueeze(1) / TIME_UNIT
        powers = [elapsed**power for power in range(1, TIME_POWERS + 1)]
        return self.body(torch.cat([bounded, *powers], dim=1)).squeeze(1)
