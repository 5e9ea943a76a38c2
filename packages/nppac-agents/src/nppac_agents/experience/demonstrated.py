"""Demonstrations as transitions for the replay of the methods that learn from them."""

from __future__ import annotations

import numpy as np
import torch
from nppac_envs import Demonstrations
from torch import Tensor

from nppac_agents.experience.observed_prior import ObservedPrior
from nppac_agents.experience.transitions import Transitions
from nppac_agents.learning.tensors import as_tensor


def demonstrated_transitions(
    demonstrations: Demonstrations, observed: ObservedPrior | None, device: str | torch.device
) -> Transitions:
    """All N demonstrated transitions, on ``device``, with the prior's moments at their states.

    Rewards that are not known are zero. The end of an episode that did not terminate counts as
    truncated, whether a time limit cut it or the recording stopped: its last state has a value but
    for methods to which timeouts are terminal.
    """
    columns = demonstrations.transitions()
    rewards = columns.get("rewards", np.zeros(len(demonstrations)))
    terminals, ends = columns["terminals"], columns["episode_ends"]

    def tensor(column: np.ndarray) -> Tensor:
        return as_tensor(column, device)

    prior_mean, prior_std = _moments(columns["states"], observed, device)
    next_prior_mean, next_prior_std = _moments(columns["next_states"], observed, device)
    return Transitions(
        states=tensor(columns["states"]),
        actions=tensor(columns["actions"]),
        rewards=tensor(rewards),
        terminated=tensor(terminals),
        truncated=tensor(ends & ~terminals),
        next_states=tensor(columns["next_states"]),
        prior_mean=prior_mean,
        prior_std=prior_std,
        next_prior_mean=next_prior_mean,
        next_prior_std=next_prior_std,
    )


def draw_from(transitions: Transitions, size: int, generator: torch.Generator) -> Transitions:
    """A minibatch of ``size`` transitions, drawn with replacement."""
    states = transitions.states
    rows = torch.randint(len(states), (size,), generator=generator, device=states.device)
    return Transitions(*(field[rows] for field in transitions))


def _moments(
    states: np.ndarray, observed: ObservedPrior | None, device: str | torch.device
) -> tuple[Tensor, Tensor]:
    if observed is None:
        return (nothing := torch.empty(len(states), 0, device=device)), nothing
    return observed.prior.moments(as_tensor(states, device))
