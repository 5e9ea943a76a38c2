"""Asking a prior about many states in bounded memory."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nppac_priors.prior import GaussianPrior

_BATCH = 1024


def moments(prior: GaussianPrior, states: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation on the CPU, each (B, A), asked for in batches.

    Raises:
        NumericalError: One of them is not finite.
    """
    parts = [prior.moments(states[i : i + _BATCH]) for i in range(0, len(states), _BATCH)]
    mean, std = (torch.cat(moment).cpu() for moment in zip(*parts, strict=True))
    return mean, std
