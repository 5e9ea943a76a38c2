"""Dual variables: positive weights that rise while their constraint is exceeded.

Two losses are in use, for an excess e = constrained quantity - its bound, averaged over a batch:

    `ascend`       - value(s) mean [e]    the Lagrangian itself (BEAR, BRAC, MPO, BRAC+)
    `ascend_log`   - log value mean [e]   soft actor-critic's (Haarnoja et al. 2018)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nppac_agents.parts.clamp import inward, inward_clamp
from nppac_agents.parts.mlp import MLP
from nppac_agents.parts.part import Part

LOWEST_RAW = -18.0


class Dual(Part):
    """A multiplier and its optimizer; make it with `scalar`, `softplus` or `of_states`."""

    @classmethod
    def scalar(
        cls, start: float, rate: float, log_bounds: tuple[float, float] | None = None
    ) -> Dual:
        """One number exp(l); `log_bounds` are those of l."""
        return cls(_Scalar(start, log_bounds), rate)

    @classmethod
    def softplus(cls, start: float, rate: float, size: int | None = None) -> Dual:
        """One number or (size,) of them, each the softplus of a p that starts at `start`.

        The same at all states, where any are given.

        p is kept at -18 or more (Acme's MPO); the excess of several is (B, size).
        """
        return cls(_Softplus(torch.full(() if size is None else (size,), start)), rate)

    @classmethod
    def of_states(
        cls, state_dim: int, hidden: Sequence[int], rate: float, generator: torch.Generator
    ) -> Dual:
        """A number for each state, softplus of a network that starts near 0 (Zhang et al. 2021)."""
        return cls(_OfStates(state_dim, hidden, generator), rate)

    def value(self, *states: Tensor) -> Tensor:
        """The multiplier without gradient: a scalar, or (B,) at states (B, S)."""
        with torch.no_grad():
            return self.net(*states)

    def ascend(self, excess: Tensor, *states: Tensor) -> None:
        """One step on the Lagrangian, for an excess (B,)."""
        self.descend(-(self.net(*states) * excess.detach()).mean())

    def ascend_log(self, excess: Tensor) -> None:
        """One step on soft actor-critic's form, of a scalar multiplier, for an excess (B,)."""
        self.along(self.net.slope(-excess.detach().mean()).view(1))


class _Scalar(nn.Module):
    def __init__(self, start: float, log_bounds: tuple[float, float] | None) -> None:
        super().__init__()
        self.log_value = nn.Parameter(torch.tensor(math.log(start)))
        self.log_bounds = log_bounds

    def forward(self) -> Tensor:
        if self.log_bounds is None:
            return self.log_value.exp()
        return inward_clamp(self.log_value, *self.log_bounds).exp()

    def slope(self, price: Tensor) -> Tensor:
        """The gradient of log value times `price`, both scalars; none leads out of the bounds."""
        if self.log_bounds is None:
            return price
        return inward(
            price, self.log_value.detach(), self.log_value.detach().clamp(*self.log_bounds)
        )


class _Softplus(nn.Module):
    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.raw = nn.Parameter(start)

    def forward(self, *states: Tensor) -> Tensor:
        del states
        return nn.functional.softplus(inward_clamp(self.raw, LOWEST_RAW, math.inf))


class _OfStates(nn.Module):
    def __init__(self, state_dim: int, hidden: Sequence[int], generator: torch.Generator) -> None:
        super().__init__()
        self.body = MLP((state_dim, *hidden, 1), output_bound=1e-3, generator=generator)

    def forward(self, states: Tensor) -> Tensor:
        return nn.functional.softplus(self.body(states)).squeeze(1)
