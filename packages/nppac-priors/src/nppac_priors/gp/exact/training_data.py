"""The demonstrations as the exact GP keeps them: float32, since that is what a file holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from torch import Tensor

from nppac_priors.data import demonstration_tensors
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
        weights: Tensor,
    ) -> Self:
        """Checked copies on the device of the weights (N,); states of weight zero are left out.

        Raises:
            DataError: Wrong shapes, NaN, infinity, or actions outside [-1, 1].
        """
        x, y = demonstration_tensors(states, actions, device=weights.device)
        used = weights > 0
        return cls(x[used], y[used], weights[used])
