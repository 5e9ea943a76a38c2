"""Joins separate episodes into the flat arrays of `Demonstrations`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import DataError


@final
@dataclass(frozen=True, eq=False)
class Episode:
    """One episode as recorded: T actions and the T + 1 observations around them."""

    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[Any] | None = None
    successes: NDArray[Any] | None = None
    terminated: bool = False


def join(episodes: Sequence[Episode], where: str) -> dict[str, NDArray[Any]]:
    """Lay episodes end to end.

    Args:
        episodes: Rewards and successes are kept only if every episode has them.
        where: Named in messages.

    Returns:
        The arrays of `Demonstrations` by name.

    Raises:
        DataError: There is no episode, or an episode's arrays do not fit.
    """
    if not episodes:
        raise DataError(f"{where}: there are no episodes")
    for number, episode in enumerate(episodes):
        _check(episode, episodes[0], f"{where}: episode {number}")
    arrays: dict[str, NDArray[Any]] = {
        "states": np.concatenate([episode.observations[:-1] for episode in episodes]),
        "actions": np.concatenate([episode.actions for episode in episodes]),
        "final_states": np.stack([episode.observations[-1] for episode in episodes]),
        "episode_lengths": np.array([len(episode.actions) for episode in episodes], np.int64),
    }
    rewards = [episode.rewards for episode in episodes if episode.rewards is not None]
    if len(rewards) == len(episodes):
        arrays["rewards"] = np.concatenate(rewards)
    successes = [episode.successes for episode in episodes if episode.successes is not None]
    if len(successes) == len(episodes):
        arrays["successes"] = np.concatenate(successes)
    if any(episode.terminated for episode in episodes):
        arrays["terminations"] = np.array([episode.terminated for episode in episodes])
    return arrays


def _check(episode: Episode, first: Episode, where: str) -> None:
    steps = len(episode.actions) if episode.actions.ndim else 0
    expected = {
        "observations": (steps + 1, *first.observations.shape[1:]),
        "actions": (steps, *first.actions.shape[1:]),
        "rewards": (steps,),
        "successes": (steps,),
    }
    if steps < 1:
        raise DataError(f"{where} has no actions")
    for name, shape in expected.items():
        array = getattr(episode, name)
        if array is None:
            continue
        if array.dtype.kind not in "biuf":
            raise DataError(f"{where}: {name} are {array.dtype}, not numbers")
        if array.shape != shape or (name in ("observations", "actions") and array.ndim != 2):
            raise DataError(f"{where}: {name} have shape {array.shape}, expected {shape}")
