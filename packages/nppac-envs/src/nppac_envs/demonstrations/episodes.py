"""Joins separate episodes into the flat arrays of `Demonstrations`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import DataError, EpisodesError


@final
@dataclass(frozen=True, eq=False)
class Episode:
    """One episode as recorded: T actions and the T + 1 observations around them."""

    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[Any] | None = None
    successes: NDArray[Any] | None = None
    terminated: bool = False
    success_moved: bool = False
    """As `moved_successes` of `Demonstrations`."""


def read_episodes(
    items: Iterable[Any],
    read: Callable[[Any, int], Episode],
    where: str,
    exclude: Collection[int] = (),
) -> dict[str, NDArray[Any]]:
    """Read episodes one by one and lay them end to end.

    Args:
        items: What `read` takes, one for each episode, with its number.
        read: Raises `DataError` for an episode that cannot be used.
        where: Named in messages.
        exclude: Episodes that will be left out and are not looked at; a single step of zeros
            stands in their places, so that the others keep their numbers.

    Returns:
        The arrays of `Demonstrations` by name.

    Raises:
        DataError: There is no episode, or none that can be used.
        EpisodesError: Some cannot be used; it names all of them.
    """
    episodes: dict[int, Episode] = {}
    problems: dict[int, str] = {}
    number = -1
    for number, item in enumerate(items):
        if number in exclude:
            continue
        try:
            episodes[number] = read(item, number)
            _check(episodes[number], f"{where}: episode {number}")
        except DataError as error:
            episodes.pop(number, None)
            problems[number] = error.message
    if episodes:
        usual = Counter(_widths(episode) for episode in episodes.values()).most_common(1)[0][0]
        for other, episode in episodes.items():
            if _widths(episode) != usual:
                problems[other] = (
                    f"{where}: episode {other}: has {_widths(episode)} state and action "
                    f"dimensions, and most have {usual}"
                )
    if problems:
        message = problems[min(problems)]
        if not set(episodes) - set(problems):
            raise DataError(message)
        raise EpisodesError(message, [*problems], [*exclude])
    if not episodes:
        raise DataError(f"{where}: there are no episodes{' but those left out' if exclude else ''}")
    stand_in = _stand_in(next(iter(episodes.values())))
    return _join([episodes.get(of, stand_in) for of in range(number + 1)])


def _widths(episode: Episode) -> tuple[int, int]:
    return episode.observations.shape[1], episode.actions.shape[1]


def _stand_in(like: Episode) -> Episode:
    rewards, successes = (None if of is None else of[:1] for of in (like.rewards, like.successes))
    zeros = np.zeros_like(like.observations[:2]), np.zeros_like(like.actions[:1])
    return Episode(*zeros, rewards, successes)


def _join(episodes: Sequence[Episode]) -> dict[str, NDArray[Any]]:
    """Lay episodes end to end; rewards and successes are kept only if every episode has them."""
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
    for name, field in (("terminations", "terminated"), ("moved_successes", "success_moved")):
        flags = np.array([getattr(episode, field) for episode in episodes])
        if flags.any():
            arrays[name] = flags
    return arrays


def _check(episode: Episode, where: str) -> None:
    steps = len(episode.actions) if episode.actions.ndim else 0
    expected = {
        "observations": (steps + 1, *episode.observations.shape[1:]),
        "actions": (steps, *episode.actions.shape[1:]),
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
