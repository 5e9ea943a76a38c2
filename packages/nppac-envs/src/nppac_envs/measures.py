"""The six measures of an evaluation, because the literature mixes them.

`measure` takes recorded flags and rewards; `EpisodeMeasures` takes them step by step, for episodes
that run in lockstep. Never compare numbers of two different measures.

| measure | who reports it |
| --- | --- |
| `success_ever`: a success at any step | N-PPAC's "goal achieved rate" |
| `success_at_end`: a success at the last step | |
| `solved_fraction`: the share of steps that are a success | RLPD |
| `time_to_success`: steps until the first success | |
| return: the sum of rewards | |
| normalised return: 0 of a random policy and 100 of an expert, on published returns | D4RL |
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray


def normalised(returns: Any, references: tuple[float, float]) -> Any:
    """Returns (E,), or their mean, on a scale where the references are 0 and 100."""
    random, expert = references
    return 100.0 * (returns - random) / (expert - random)


@final
@dataclass(frozen=True, eq=False)
class Measures:
    """The measures of E episodes.

    Attributes:
        success_ever: (E,) bool.
        success_at_end: (E,) bool.
        solved_fraction: (E,) float64, in [0, 1].
        time_to_success: (E,) float64, number of steps up to and including the first success (1 if
            the first step succeeds), NaN where there is none.
        returns: (E,) float64, undiscounted.
        tells_success: Whether the task knows what a success is; where it does not, only the returns
            mean something.
        references: Returns that normalise to 0 and 100; None where the task states none.
    """

    success_ever: NDArray[np.bool_]
    success_at_end: NDArray[np.bool_]
    solved_fraction: NDArray[np.float64]
    time_to_success: NDArray[np.float64]
    returns: NDArray[np.float64]
    tells_success: bool = True
    references: tuple[float, float] | None = None

    @classmethod
    def together(cls, parts: Sequence[Measures]) -> Measures:
        """The episodes of all parts, in order."""
        of_task = ("tells_success", "references")
        names = [f.name for f in dataclasses.fields(cls) if f.name not in of_task]
        arrays = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
        told = any(part.tells_success for part in parts)
        return cls(*arrays, tells_success=told, references=parts[0].references)

    def normalised(self) -> NDArray[np.float64] | None:
        """(E,) returns, 0 a random policy's and 100 an expert's; None without references."""
        return None if self.references is None else normalised(self.returns, self.references)

    def means(self) -> dict[str, float | None]:
        """Means over episodes; `time_to_success` over those that succeed, None if none does.

        Those of success are None where the task knows none, the normalised return where it states
        no references.
        """
        times = self.time_to_success[self.success_ever]
        normalised = self.normalised()
        of_returns = {
            "return_mean": float(self.returns.mean()),
            "normalised_return": None if normalised is None else float(normalised.mean()),
        }
        if not self.tells_success:
            return {
                "success_ever": None,
                "success_at_end": None,
                "solved_fraction": None,
                "time_to_success": None,
                **of_returns,
            }
        return {
            "success_ever": float(self.success_ever.mean()),
            "success_at_end": float(self.success_at_end.mean()),
            "solved_fraction": float(self.solved_fraction.mean()),
            "time_to_success": float(times.mean()) if times.size else None,
            **of_returns,
        }

    def per_episode(self) -> dict[str, list[bool] | list[float] | list[float | None]]:
        """Lists with one entry an episode in plain JSON types, keyed by attribute; NaN is None.

        Returns alone where the task knows no success; normalised ones where it states references.
        """
        normalised = self.normalised()
        of_returns = {"returns": self.returns.tolist()}
        if normalised is not None:
            of_returns["normalised_returns"] = normalised.tolist()
        if not self.tells_success:
            return of_returns
        times = zip(self.success_ever.tolist(), self.time_to_success.tolist(), strict=True)
        return {
            "success_ever": self.success_ever.tolist(),
            "success_at_end": self.success_at_end.tolist(),
            "solved_fraction": self.solved_fraction.tolist(),
            "time_to_success": [time if ever else None for ever, time in times],
            **of_returns,
        }


@final
class EpisodeMeasures:
    """Adds up E episodes that run in lockstep; memory does not grow with their length."""

    def __init__(self, n_episodes: int) -> None:
        """Start `n_episodes` episodes, 1 or more."""
        if n_episodes < 1:
            raise ValueError(f"n_episodes must be at least 1; got {n_episodes}")
        self._steps = np.zeros(n_episodes, np.int64)
        self._solved = np.zeros(n_episodes, np.int64)
        self._last = np.zeros(n_episodes, np.bool_)
        self._first_success = np.full(n_episodes, np.nan)
        self._returns = np.zeros(n_episodes)

    def update(
        self,
        successes: NDArray[np.bool_],
        rewards: NDArray[np.floating],
        running: NDArray[np.bool_] | None = None,
    ) -> None:
        """Add one step of every episode.

        Args:
            successes: (E,) bool, success flags after this step.
            rewards: (E,) rewards of this step.
            running: (E,) bool, episodes to which the step belongs; the rest have ended before it
                and are left alone. None: all.
        """
        active = np.ones_like(self._last) if running is None else np.asarray(running, np.bool_)
        solved = np.asarray(successes, np.bool_) & active
        self._steps += active
        first = solved & np.isnan(self._first_success)
        self._first_success[first] = self._steps[first]
        self._solved += solved
        self._last = np.where(active, solved, self._last)
        self._returns += np.where(active, rewards, 0.0)

    def result(
        self, *, tells_success: bool = True, references: tuple[float, float] | None = None
    ) -> Measures:
        """The measures of the steps so far.

        Args:
            tells_success: Whether the task knows what a success is.
            references: Returns that normalise to 0 and 100.

        Raises:
            ValueError: An episode has no step yet.
        """
        if not self._steps.all():
            raise ValueError(f"episode {int(np.argmin(self._steps))} has no steps")
        return Measures(
            success_ever=self._solved > 0,
            success_at_end=self._last.copy(),
            solved_fraction=self._solved / self._steps,
            time_to_success=self._first_success.copy(),
            returns=self._returns.copy(),
            tells_success=tells_success,
            references=references,
        )


def measure(
    successes: NDArray[np.bool_], rewards: NDArray[np.floating], lengths: NDArray[np.integer]
) -> Measures:
    """Measure recorded episodes.

    Args:
        successes: (T, E) bool, success flags after each step.
        rewards: (T, E) rewards.
        lengths: (E,) steps of each episode, 1 to T; what is recorded after them is ignored.

    Raises:
        ValueError: The shapes or lengths do not fit.
    """
    if successes.ndim != 2 or successes.shape != rewards.shape:
        raise ValueError(
            f"successes and rewards must both be (T, E); got {successes.shape}, {rewards.shape}"
        )
    lengths = np.asarray(lengths)
    steps, episodes = successes.shape
    if lengths.shape != (episodes,) or (lengths < 1).any() or (lengths > steps).any():
        raise ValueError(f"lengths must be ({episodes},), each between 1 and {steps}")
    total = EpisodeMeasures(episodes)
    for step in range(steps):
        total.update(successes[step], rewards[step], lengths > step)
    return total.result()
