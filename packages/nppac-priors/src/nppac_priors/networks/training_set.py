"""The demonstrations as networks are trained on them: standardised, whole episodes held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from nppac_priors.data import demonstration_tensors, hash_data
from nppac_priors.errors import DataError
from nppac_priors.held_out import hold_out_rows
from nppac_priors.state_scale import StateScale

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

_LARGEST = 1e6


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Shift and scale of each state dimension.

    Attributes:
        shift: (S,) mean over the states that networks are fitted to.
        scale: (S,) standard deviation; 1 where only float32 rounding changes a dimension.
    """

    shift: Tensor
    scale: Tensor

    @classmethod
    def of(cls, states: Tensor) -> Self:
        """Of states (N, S)."""
        found = StateScale.of([states])
        return cls(found.mean.float(), found.scale.float())

    def __call__(self, states: Tensor) -> Tensor:
        """Standardised states, at most 1e6 standard deviations out so that networks stay finite."""
        return ((states - self.shift) / self.scale).clamp(-_LARGEST, _LARGEST)

    def to(self, device: str | torch.device) -> Self:
        """The same on a device."""
        return type(self)(self.shift.to(device), self.scale.to(device))


@dataclass(frozen=True, eq=False)
class Batch:
    """Standardised states, actions and weights; leading dimension K where networks have their own.

    Attributes:
        states: (..., B, S).
        actions: (..., B, A).
        weights: (..., B), of mean 1 over the data that the batch comes from.
    """

    states: Tensor
    actions: Tensor
    weights: Tensor

    def average(self, values: Tensor) -> Tensor:
        """Weighted mean over the batch of values (K, B)."""
        return (self.weights * values).mean(-1)

    def __len__(self) -> int:
        """B."""
        return self.states.shape[-2]

    def take(self, rows: Tensor) -> Batch:
        """The rows of a batch without leading dimension; `rows` of any shape."""
        return Batch(self.states[rows], self.actions[rows], self.weights[rows])

    def observed(self, rows: Tensor) -> Batch:
        """Those of the rows that have any weight, their weights brought to a mean of 1."""
        batch = self.take(rows[self.weights[rows] > 0])
        return Batch(batch.states, batch.actions, batch.weights / batch.weights.mean())

    def chunks(self, size: int) -> Iterator[Batch]:
        """Of a batch without leading dimension, in pieces of at most `size` states."""
        parts = (tensor.split(size) for tensor in (self.states, self.actions, self.weights))
        return (Batch(*part) for part in zip(*parts, strict=True))


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Checked demonstrations, split.

    Attributes:
        fitted: What the networks are trained on.
        held_out: Whole episodes that decide when to stop; None if there are none.
        observations: Sum of the fitted states' weights.
        standardiser: Of the fitted states.
        data_hash: Of all states and actions.
    """

    fitted: Batch
    held_out: Batch | None
    observations: float
    standardiser: Standardiser
    data_hash: str

    @property
    def device(self) -> torch.device:
        """Where the data live."""
        return self.fitted.states.device

    def layer_sizes(self, hidden: tuple[int, ...]) -> tuple[int, ...]:
        """Inputs, hidden units and outputs of a Gaussian network for these data."""
        return self.fitted.states.shape[-1], *hidden, 2 * self.fitted.actions.shape[-1]

    @classmethod
    def check(
        cls,
        states: np.ndarray | Tensor,
        actions: np.ndarray | Tensor,
        *,
        episode_lengths: Tensor,
        weights: Tensor,
        held_out_share: float,
        generator: torch.Generator,
    ) -> Self:
        """Check, standardise and split, on the device of the weights; see `PriorConfig._fit`.

        Raises:
            DataError: Wrong shapes or values, or weights that leave nothing to fit.
        """
        w = weights
        x, y = demonstration_tensors(states, actions, device=w.device)
        fitted, held_out = (
            rows.to(w.device) for rows in hold_out_rows(episode_lengths, held_out_share, generator)
        )
        fitted_weight = float(w[fitted].sum())
        if fitted_weight == 0.0:
            raise DataError("weights: all zero outside the held-out episodes; hold out fewer")
        standardiser = Standardiser.of(x[fitted[w[fitted] > 0]])
        everything = Batch(standardiser(x), y, w)
        return cls(
            fitted=everything.observed(fitted),
            held_out=everything.observed(held_out) if bool(w[held_out].any()) else None,
            observations=fitted_weight,
            standardiser=standardiser,
            data_hash=hash_data(x, y),
        )
