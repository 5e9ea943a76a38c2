"""Numbers that are no longer finite: found before they are kept, and traced to where they began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from nppac_priors.errors import NumericalError
from torch import Tensor

from nppac_agents.data.replay import TensorReplay
from nppac_agents.experiment.config import ExperimentConfig

LARGEST_VALUE = 1e9
"""Rewards and observations beyond it overflow float32 in the norm of a squared error's gradient."""
SMALLEST_STD = 1e-5
"""1 / (2 std^2), squared in a critic's error and again in its norm, overflows float32 below it."""


class DivergedError(NumericalError):
    """What is learned, or a loss, is no longer finite."""


def require_finite(tensors: Mapping[str, Tensor], position: str) -> None:
    """Refuses NaN and infinity in any of the tensors that hold real numbers.

    Raises:
        DivergedError: names the first such tensor and the `position` of the run.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not _all_finite(tensor):
            raise DivergedError(f"{name} is not finite {position}")


def outside_cause(
    config: ExperimentConfig,
    replay: TensorReplay,
    states: np.ndarray,
    returns: Iterable[float],
) -> str | None:
    """The environment or the prior, where one of them gave numbers that no learner can digest.

    Args:
        config: names them.
        replay: with what has been observed.
        states: (E, S), the latest observations, perhaps not yet in the replay.
        returns: of the latest episodes, whose steps the replay may have handed out and forgotten.
    """
    batch = replay.transitions(torch.from_numpy(replay.sample_indices(0)))
    seen = {
        "a reward": (batch.rewards, torch.tensor(list(returns))),
        "an observation": (batch.states, batch.next_states, torch.from_numpy(states)),
    }
    for what, tensors in seen.items():
        for values in tensors:
            strange = values[~(values.abs() <= LARGEST_VALUE)]
            if len(strange):
                value = f"{what} of {strange[0].item():g}"
                return f"it began in {_where(config)}, which gave {value}"
    if replay.observed is None or config.prior is None:
        return None
    _, std = replay.observed.moments(states)
    smallest = torch.cat([batch.prior_std, batch.next_prior_std, std]).min().item()
    if smallest >= SMALLEST_STD:
        return None
    return (
        f"it began in prior {config.prior.kind!r}, whose standard deviation goes down to "
        f"{smallest:.3g}; put a floor under its variance"
    )


def _where(config: ExperimentConfig) -> str:
    return "the demonstrations" if config.env is None else f"environment {config.env.shown_as}"


def _all_finite(tensor: Tensor) -> bool:
    """The sum is one fast pass; only where it is not finite are the entries looked at."""
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())
