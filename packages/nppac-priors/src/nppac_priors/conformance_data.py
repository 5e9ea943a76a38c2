"""The demonstrations of the conformance kit, and ways to spoil them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

NOISE_STD = 0.3
"""Of the actions that priors are fitted to here; its square is 0.09, its root 0.55."""

STATE_DIM, ACTION_DIM = 4, 2
_EPISODES, _LENGTH = 12, 50
_THIRD = torch.tensor([2])


class Demonstrations(NamedTuple):
    """Arguments of a fit.

    Attributes:
        states: (600, 4), uniform in [-1, 1].
        actions: (600, 2), in [-1, 1].
        episode_lengths: (12,).
    """

    states: Tensor
    actions: Tensor
    episode_lengths: Tensor


def demonstrations() -> Demonstrations:
    """A smooth function of amplitude 0.1 plus noise of `NOISE_STD`."""
    generator = torch.Generator().manual_seed(0)
    count = _EPISODES * _LENGTH
    states = 2.0 * torch.rand(count, STATE_DIM, generator=generator) - 1.0
    mean = 0.1 * torch.stack((torch.sin(3.0 * states[:, 0]), states[:, 1] * states[:, 2]), dim=1)
    noise = NOISE_STD * torch.randn(count, ACTION_DIM, generator=generator)
    lengths = torch.full((_EPISODES,), _LENGTH)
    return Demonstrations(states, (mean + noise).clamp(-1.0, 1.0), lengths)


FAULTS: dict[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "no rows": lambda states, actions: (states[:0], actions[:0]),
    "different numbers of rows": lambda states, actions: (states, actions[:-1]),
    "a row of NaN": lambda states, actions: (states.index_fill(0, _THIRD, math.nan), actions),
    "a row of infinite actions": lambda states, actions: (
        states,
        actions.index_fill(0, _THIRD, math.inf),
    ),
    "a row of actions beyond 1": lambda states, actions: (
        states,
        actions.index_fill(0, _THIRD, 1.5),
    ),
    "states of one dimension": lambda states, actions: (states[:, 0], actions),
}
"""Unusable states and actions, made from usable ones."""
