"""Asking a prior about many states in bounded memory."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nppac_priors.errors import NumericalError
from nppac_priors.prior import GaussianPrior, Prior, fault
from nppac_priors.randomness import isolated_randomness

_BATCH = 1024
_ROUNDS, _DRAWS = 16, 16
"""Times draws of each round, of an action at a state: its std has a relative error of 4 %."""


def moments(prior: Prior, states: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation on the CPU, each (B, A), asked for in batches.

    Those of a prior that is not Gaussian are of 256 actions drawn at each state, by the same noise
    at every call.

    Raises:
        NumericalError: One of them is not finite.
    """
    ask = prior.moments if isinstance(prior, GaussianPrior) else lambda part: _drawn(prior, part)
    parts = [ask(states[i : i + _BATCH]) for i in range(0, len(states), _BATCH)]
    mean, std = (torch.cat(moment).cpu() for moment in zip(*parts, strict=True))
    return mean, std


def _drawn(prior: Prior, states: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of draws, each (B, A)."""
    with isolated_randomness(torch.Generator().manual_seed(0), prior.device):
        distribution = prior(states)
        rounds = [distribution.sample(torch.Size([_DRAWS])).double() for _ in range(_ROUNDS)]
    draws = torch.cat(rounds)
    mean, std = draws.mean(0).float(), draws.std(0).float()
    if not bool((torch.isfinite(mean) & torch.isfinite(std) & (std > 0)).all()):
        raise fault(prior, "actions drawn from it are not finite, or all equal", NumericalError)
    return mean, std
