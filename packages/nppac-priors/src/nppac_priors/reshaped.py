"""A distribution over the actions at n states, for these states in another shape."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.types import _size

_EMPTY = torch.Size()


class Reshaped(Distribution):
    """A distribution with its n batch entries as a block of another shape, or as a single one.

    What it does not know, such as a mean, the given one does not know either.

    Args:
        rows: Over events (A,), of batch shape (n,).
        shape: Of n entries: () of one.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, rows: Distribution, shape: tuple[int, ...]) -> None:
        super().__init__(torch.Size(shape), rows.event_shape, validate_args=False)
        self._rows = rows

    @property
    def has_rsample(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether draws have a gradient."""
        return self._rows.has_rsample

    @property
    def mean(self) -> Tensor:
        """Mean (*shape, A)."""
        return self._rows.mean.reshape(self._extended_shape())

    @property
    def variance(self) -> Tensor:
        """Variance (*shape, A)."""
        return self._rows.variance.reshape(self._extended_shape())

    def sample(self, sample_shape: _size = _EMPTY) -> Tensor:
        """Actions (*sample_shape, *shape, A)."""
        shape = torch.Size(sample_shape)
        return self._rows.sample(shape).reshape(self._extended_shape(shape))

    def rsample(self, sample_shape: _size = _EMPTY) -> Tensor:
        """Actions (*sample_shape, *shape, A), with a gradient."""
        shape = torch.Size(sample_shape)
        return self._rows.rsample(shape).reshape(self._extended_shape(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-density (..., *shape) of actions (..., *shape, A), or of what broadcasts to these."""
        full = torch.broadcast_shapes(value.shape, self._extended_shape())
        drawn = full[: len(full) - len(self.batch_shape) - 1]
        rows = value.expand(full).reshape(*drawn, *self._rows.batch_shape, *self.event_shape)
        return self._rows.log_prob(rows).reshape(full[:-1])

    def entropy(self) -> Tensor:
        """Entropy (*shape) in nats."""
        return self._rows.entropy().reshape(self.batch_shape)
