"""`Demonstrations`: episodes of states and actions, however they were stored.

Write your own set with `save_npz`, read it back with `NpzConfig(path=...)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.checks import check_actions, check_finite, check_shapes
from nppac_envs.demonstrations.success_rules import recorded_successes, rule_successes
from nppac_envs.errors import DataError

REWARDS = {"zero-one": (0.0, 1.0), "binary": (-1.0, 0.0)}
"""(failure, success) by name."""

FIELDS = {
    "states": np.float32,
    "actions": np.float32,
    "final_states": np.float32,
    "episode_lengths": np.int64,
    "rewards": np.float32,
    "successes": np.bool_,
    "terminations": np.bool_,
    "action_bounds": np.float64,
    "source_range": np.float64,
    "moved_successes": np.bool_,
}
PER_EPISODE = ("final_states", "episode_lengths", "terminations", "moved_successes")
PER_SET = ("action_bounds", "source_range")
_UNHASHED = ("source_range", "moved_successes")
"""What only tells where the others come from."""


def taken(
    arrays: Mapping[str, NDArray[Any]], episodes: NDArray[Any], steps: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Arrays by the names of `FIELDS`, of some episodes, whose steps are `steps`."""
    index: dict[str, NDArray[Any]] = dict.fromkeys(PER_EPISODE, episodes)
    return {
        name: array if name in PER_SET else array[index.get(name, steps)]
        for name, array in arrays.items()
    }


@final
@dataclass(frozen=True, eq=False)
class Demonstrations:
    """Episodes laid end to end; checked when made, cast to the types below.

    Step i of an episode is the state, the action taken in it, and the reward and success that the
    action led to. The state after an episode's last action is in `final_states`.

    Attributes:
        states: (N, S) float32, in the environment's units.
        actions: (N, A) float32, in [-1, 1].
        final_states: (E, S) float32.
        episode_lengths: (E,) int64, sums to N.
        rewards: (N,) float32, or None where unknown.
        successes: (N,) bool, or None where unknown.
        source: Where they come from, for logs and messages.
        n_clipped: Action entries that clipping changed when the set was loaded; parts of the set
            pass it on as it is.
        terminations: (E,) bool: the episode's last action led to a terminal state. None: no
            episode did (the hand tasks never terminate).
        n_rescaled: Action entries that mapping a range onto [-1, 1] changed, like `n_clipped`.
        action_bounds: (2, A) float64: what -1 and 1 stood for in the units of the environment that
            they were recorded in; None where that takes [-1, 1] itself, or is not known.
        source_range: (2, A) float64: what -1 and 1 stood for in the numbers of the file that the
            actions come from, where they were mapped from a range that was given
            (`action_range`); None where they were not.
        moved_successes: (E,) bool: the success of an episode's last step was recorded of the step
            after it, which was used up as the final state, so that no state here shows it. None:
            no episode has such a success.

    Raises:
        DataError: Shapes that do not fit, numbers that are not finite, actions outside [-1, 1].
    """

    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    final_states: NDArray[np.float32]
    episode_lengths: NDArray[np.int64]
    rewards: NDArray[np.float32] | None = None
    successes: NDArray[np.bool_] | None = None
    source: str = "arrays"
    n_clipped: int = 0
    terminations: NDArray[np.bool_] | None = None
    n_rescaled: int = 0
    action_bounds: NDArray[np.float64] | None = None
    source_range: NDArray[np.float64] | None = None
    moved_successes: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        given = {name: np.asarray(value) for name, value in self._fields() if value is not None}
        check_shapes(given, self.source)
        for name, array in given.items():
            with np.errstate(over="ignore"):
                cast = np.ascontiguousarray(array, FIELDS[name])
            object.__setattr__(self, name, cast)
        check_finite(self.arrays(), self.source)
        check_actions(self.actions, self.source)

    def _fields(self) -> Iterable[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in FIELDS)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, those that are None left out; what `save_npz` writes."""
        return {name: value for name, value in self._fields() if value is not None}

    def ranges(self) -> dict[str, NDArray[np.float64]]:
        """Those of the arrays that say what -1 and 1 stand for, by name."""
        return {name: array for name, array in self.arrays().items() if name in PER_SET}

    @property
    def state_dim(self) -> int:
        """S."""
        return self.states.shape[1]

    @property
    def action_dim(self) -> int:
        """A."""
        return self.actions.shape[1]

    @property
    def n_episodes(self) -> int:
        """E."""
        return len(self.episode_lengths)

    def __str__(self) -> str:
        """In a line: source, counts, and what loading changed."""
        counts = self.summary()
        parts = [counts["source"], f"{counts['episodes']} episodes", f"{counts['steps']:,} steps"]
        if counts["episodes_with_success"] is not None:
            parts.append(f"{counts['episodes_with_success']} successful")
        if counts["n_rescaled"]:
            parts.append(f"{counts['n_rescaled']:,} action entries mapped from another range")
        if counts["n_clipped"]:
            parts.append(f"{counts['n_clipped']:,} action entries clipped to [-1, 1]")
        return ", ".join(parts)

    def __repr__(self) -> str:
        """The same line; an array shows itself."""
        return f"<Demonstrations {self}>"

    def __len__(self) -> int:
        """N, the number of steps."""
        return len(self.states)

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of every array's name, shape and bytes, and of nothing else.

        Without `source_range` and `moved_successes`, which only tell where the others come from.
        """
        digest = hashlib.sha256()
        for name, array in self.arrays().items():
            if name in _UNHASHED:
                continue
            digest.update(f"{name}{array.shape}{array.dtype.str}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def take(self, n_episodes: int) -> Demonstrations:
        """The first `n_episodes` episodes.

        Raises:
            DataError: There are fewer, or none is asked for.
        """
        if not 1 <= n_episodes <= self.n_episodes:
            raise DataError(
                f"{self.source}: cannot take {n_episodes} episodes; there are {self.n_episodes}"
            )
        return self.select(range(n_episodes))

    def split(self, test_episodes: Sequence[int]) -> tuple[Demonstrations, Demonstrations]:
        """Divide by episode into (train, test); `test_episodes` are indices into the episodes.

        Raises:
            DataError: An index is out of range or given twice, or one side would be empty.
        """
        test = sorted(set(test_episodes))
        if len(test) != len(test_episodes) or not 0 < len(test) < self.n_episodes:
            raise DataError(
                f"{self.source}: test episodes must be distinct, at least one and at most "
                f"{self.n_episodes - 1}; got {list(test_episodes)}"
            )
        if test[0] < 0 or test[-1] >= self.n_episodes:
            raise DataError(
                f"{self.source}: test episodes must be between 0 and {self.n_episodes - 1}; "
                f"got {list(test_episodes)}"
            )
        train = [episode for episode in range(self.n_episodes) if episode not in set(test)]
        return self.select(train), self.select(test)

    def folds(
        self, k: int, rng: np.random.Generator
    ) -> list[tuple[Demonstrations, Demonstrations]]:
        """K-fold cross-validation by episode: k pairs (train, test), each episode tested once.

        Raises:
            DataError: `k` is below 2 or above the number of episodes.
        """
        if not 2 <= k <= self.n_episodes:
            raise DataError(
                f"{self.source}: the number of folds must be between 2 and {self.n_episodes}; "
                f"got {k}"
            )
        parts = np.array_split(rng.permutation(self.n_episodes), k)
        return [self.split(part.tolist()) for part in parts]

    def select(self, episodes: Iterable[int]) -> Demonstrations:
        """The episodes with these indices, in this order.

        Raises:
            DataError: There is none, or an index is out of range.
        """
        index = np.fromiter(episodes, np.int64)
        if not index.size or index.min() < 0 or index.max() >= self.n_episodes:
            raise DataError(
                f"{self.source}: episodes must be between 0 and {self.n_episodes - 1}, one or "
                f"more; got {index.tolist()}"
            )
        owner = np.repeat(np.arange(self.n_episodes), self.episode_lengths)
        steps = np.concatenate([np.flatnonzero(owner == episode) for episode in index])
        chosen = taken(self.arrays(), index, steps)
        return replace(self, **{name: chosen.get(name) for name in FIELDS})

    def transitions(self) -> dict[str, NDArray[Any]]:
        """One row a step, for a replay buffer.

        These are `states`, `actions`, `next_states`, `terminals` ((N,) bool, no value to bootstrap
        from), `episode_ends` ((N,) bool, the last step of its episode), and `rewards` and
        `successes` where they are known.
        """
        last = np.cumsum(self.episode_lengths) - 1
        next_states = np.empty_like(self.states)
        next_states[:-1] = self.states[1:]
        next_states[last] = self.final_states
        episode_ends = np.zeros(len(self), np.bool_)
        episode_ends[last] = True
        terminals = np.zeros(len(self), np.bool_)
        if self.terminations is not None:
            terminals[last] = self.terminations
        rows = {
            "states": self.states,
            "actions": self.actions,
            "next_states": next_states,
            "terminals": terminals,
            "episode_ends": episode_ends,
            "rewards": self.rewards,
            "successes": self.successes,
        }
        return {name: array for name, array in rows.items() if array is not None}

    @cached_property
    def recorded_successes(self) -> NDArray[np.bool_] | None:
        """Flags (N,), `successes` or what rewards of two values stand for; None if neither."""
        return recorded_successes(self.successes, self.rewards)

    def judged(self, task: str) -> Demonstrations:
        """The same episodes with `successes` decided by a task's rule, as `with_verdict` takes it.

        Args:
            task: Kind of the environment, a key of `success_rules.SUCCESS_RULES`.

        Raises:
            DataError: The task has no rule on states, or the states are of another length.
        """
        flags = rule_successes(task, self.transitions()["next_states"], self.source)
        return self.with_verdict(flags)

    def with_verdict(self, flags: NDArray[np.bool_]) -> Demonstrations:
        """The same episodes with the `successes` that a judge gives them, whatever was recorded.

        A success of the step after an episode (`moved_successes`) stays, since the judge sees no
        state that speaks of it, unless it denies the episode another success that was recorded.

        Args:
            flags: (N,) bool, by what the set holds.
        """
        if self.moved_successes is None or self.successes is None:
            return replace(self, successes=flags)
        last = np.cumsum(self.episode_lengths) - 1
        denied = self.successes & ~flags
        denied[last[self.moved_successes]] = False
        denied_in = np.logical_or.reduceat(denied, last - self.episode_lengths + 1)
        moved = self.moved_successes & ~denied_in
        successes = flags.copy()
        successes[last[moved]] = True
        return replace(self, successes=successes, moved_successes=moved)

    def relabelled(
        self, reward: Literal["zero-one", "binary"] = "zero-one", *, task: str | None = None
    ) -> Demonstrations:
        """The same episodes with rewards that follow from success, for an agent's replay.

        Args:
            reward: "zero-one" is 1 on success and 0 elsewhere, "binary" 0 and -1.
            task: Whose rule decides where no success was recorded (`judged`).

        Raises:
            DataError: No success was recorded and the task's rule cannot be applied.
        """
        flags = self.recorded_successes
        if flags is None and task is None:
            raise DataError(
                f"{self.source}: has neither success flags nor rewards of two values; "
                "name the task whose rule decides success"
            )
        if flags is None:
            flags = rule_successes(task, self.transitions()["next_states"], self.source)
        failure, success = REWARDS[reward]
        rewards = np.where(flags, np.float32(success), np.float32(failure))
        return replace(self, successes=flags, rewards=rewards)

    def save_npz(self, path: str | Path) -> None:
        """Write the package's npz format; an existing file is replaced at once or not at all.

        The arrays have the names, shapes and types of this class's attributes; those that are None
        are left out.
        """
        from nppac_envs.demonstrations.npz_file import write_npz

        write_npz(Path(path), self.arrays())

    def summary(self) -> dict[str, Any]:
        """Counts and ranges for logs, in plain JSON types.

        Returns:
            `source`, `hash`, `episodes`, `steps`, `state_dim`, `action_dim`, `n_rescaled`,
            `n_clipped`, `length_min`, `length_max`, `return_mean`, `episodes_with_success` (None
            where unknown), the lists `state_min`, `state_max`, `action_min`, `action_max`, one
            entry a dimension, and `action_bounds` and `source_range`, two such lists or None.
        """
        starts = np.cumsum(self.episode_lengths) - self.episode_lengths
        solved = returns = None
        if self.recorded_successes is not None:
            solved = int(np.logical_or.reduceat(self.recorded_successes, starts).sum())
        if self.rewards is not None:
            returns = float(np.add.reduceat(self.rewards.astype(np.float64), starts).mean())
        return {
            "source": self.source,
            "hash": self.hash,
            "episodes": self.n_episodes,
            "steps": len(self),
            "state_dim": self.state_dim,
            "action_dim": self.action_dim,
            "n_rescaled": self.n_rescaled,
            "n_clipped": self.n_clipped,
            "length_min": int(self.episode_lengths.min()),
            "length_max": int(self.episode_lengths.max()),
            "return_mean": returns,
            "episodes_with_success": solved,
            "state_min": self.states.min(axis=0).tolist(),
            "state_max": self.states.max(axis=0).tolist(),
            "action_min": self.actions.min(axis=0).tolist(),
            "action_max": self.actions.max(axis=0).tolist(),
            **dict.fromkeys(PER_SET),
            **{name: of.tolist() for name, of in self.ranges().items()},
        }
