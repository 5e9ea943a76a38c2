"""Where each state dimension lies and how widely it spreads, read in one pass.

States are standardised by it, which makes a fit independent of their units. A dead dimension, one
that never changes in the demonstrations, has no spread: to a Gaussian process it says nothing of
its lengthscale, and a state that differs there counts as far away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

logger = logging.getLogger(__name__)

_ROUNDING = 1e-7
"""Relative spread that float32 rounding alone can give."""


@dataclass(frozen=True)
class StateScale:
    """Shift and scale that standardise states.

    Attributes:
        mean: (S,) float64.
        scale: (S,) float64: the standard deviation, 1 where a dimension is dead.
        dead: Indices of the dimensions that never change but by float32 rounding; none if there
            is one state only.
    """

    mean: Tensor
    scale: Tensor
    dead: tuple[int, ...]

    @classmethod
    def of(cls, blocks: Iterable[Tensor]) -> StateScale:
        """Read the states once, block by block (n, S), at least one row in all."""
        count, mean, squares, largest = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
        for block in blocks:
            states = block.double()
            own_mean = states.mean(0)
            step = own_mean - mean
            total = count + len(states)
            squares = squares + (states - own_mean).square().sum(0)
            squares = squares + step.square() * (count * len(states) / total)
            mean = mean + step * (len(states) / total)
            largest = torch.maximum(largest.to(states), states.abs().amax(0))
            count = total
        std = (squares / count).sqrt()
        dead = std <= _ROUNDING * largest
        indices = tuple(dead.nonzero().flatten().tolist()) if count > 1 else ()
        return cls(mean, torch.where(dead, torch.ones_like(std), std), indices)

    @property
    def spread(self) -> Tensor:
        """(S,) float64: the standard deviation, 0 where a dimension is dead."""
        spread = self.scale.clone()
        spread[list(self.dead)] = 0.0
        return spread

    def report_dead(self, kind: str) -> None:
        """Warn of dead dimensions, once for all of them."""
        if self.dead:
            logger.warning(
                "%s: state dimensions %s never change in the demonstrations; a state that differs "
                "there counts as unknown: leave them out if they do not matter",
                kind,
                list(self.dead),
            )
