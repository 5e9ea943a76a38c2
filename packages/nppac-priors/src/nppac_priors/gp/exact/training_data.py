"""The demonstrations as the exact GP keeps them: float32, since that is what a file holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from nppac_priors.data import demonstration_tensors, sample_weights
from nppac_priors.gp.tensor_record import TensorRecord

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class TrainingData(TensorRecord):
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
        w = sample_weights(weights, len(x), device=device)
        used = w > 0
        return cls(x[used], y[used], w[used])
