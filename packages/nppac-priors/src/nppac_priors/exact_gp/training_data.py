"""The demonstrations as the exact GP keeps them: float32, since that is what a file holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from nppac_priors.data import demonstration_tensors, finite_matrix
from nppac_priors.errors import DataError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class TrainingData:
    """What the posterior is conditioned on; float32.

    Attributes:
        states: (N, S).
        actions: (N, A) in [-1, 1].
        weights: (N,) positive; the noise variance of a state is divided by its weight.
    """

    states: Tensor
    actions: Tensor
    weights: Tensor

    @classmethod
    def check(
        cls,
        states: np.ndarray | Tensor,
        actions: np.ndarray | Tensor,
        weights: np.ndarray | Tensor | None,
        device: str | torch.device,
    ) -> Self:
        """Checked copies on a device; states of weight zero are left out.

        Raises:
            DataError: Wrong shapes, NaN, infinity, actions outside [-1, 1], or weights that are
                negative or all zero.
        """
        x, y = demonstration_tensors(states, actions, device=device)
        if weights is None:
            return cls(x.clone(), y.clone(), torch.ones_like(x[:, 0]))
        column = torch.as_tensor(weights).reshape(-1, 1)
        w = finite_matrix(column, "weights", columns=1, device=device).squeeze(1)
        if len(w) != len(x) or bool((w < 0).any()) or not bool((w > 0).any()):
            raise DataError(
                f"weights: expected {len(x)} non-negative numbers, not all zero; got {len(w)}, "
                f"the smallest {w.min().item():g}, the largest {w.max().item():g}"
            )
        used = w > 0
        return cls(x[used], y[used], w[used])
