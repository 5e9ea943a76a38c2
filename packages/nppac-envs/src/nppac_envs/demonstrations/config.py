"""`DemonstrationsConfig`: what the sources of demonstrations have in common."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from nppac_envs.demonstrations.action_map import range_mapped
from nppac_envs.demonstrations.checks import check_finite, check_shapes
from nppac_envs.demonstrations.dataset import FIELDS, Demonstrations, taken
from nppac_envs.demonstrations.file_guard import regular_file
from nppac_envs.demonstrations.findings import Finding
from nppac_envs.errors import DataError

ActionBound = float | list[float]
Say = Callable[[Finding], None]

logger = logging.getLogger(__name__)


class DemonstrationsConfig(
    BaseModel, ABC, frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
):
    """Where demonstrations come from; a subclass reads them, this class checks and clips them."""

    source: str
    """Kind of source."""
    n_episodes: int | None = Field(default=None, ge=1)
    """Use the first n episodes; null uses all."""
    exclude: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Leave out the episodes with these numbers, the first one is 0."""
    action_range: tuple[ActionBound, ActionBound] | None = None
    """The range of the stored actions, lowest and highest, each one number or one an action
    dimension: it is mapped linearly onto [-1, 1]."""
    clip: bool = False
    """Clip actions to [-1, 1] instead of refusing the set."""
    drop_rewards: bool = False
    """Read the set without its rewards, which priors do not use."""
    hash: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """The hash that `nppac-demos inspect` shows with these settings; any other set is refused."""

    @model_validator(mode="after")
    def _no_set_contradicts_it(self) -> Self:
        problem = None if self.n_episodes is None else self._misses(self.n_episodes)
        if problem is not None:
            raise ValueError(problem)
        if self.action_range is not None and not _is_range(*self.action_range):
            raise ValueError(_NO_RANGE.format(*self.action_range))
        return self

    def require_files(self) -> None:
        """Look whether the set is where it says, without reading it.

        Raises:
            DataError: It is not, as `load` would say.
        """

    def is_to_be_fetched(self) -> bool:
        """Whether loading it fetches it from a server first."""
        return False

    def dimensions(self) -> tuple[int, int] | None:
        """Numbers of a state and of an action, if the set says so beside its data and is there."""
        try:
            return self._told_dimensions()
        except Exception:  # a set that is missing or broken; loading it says how
            return None

    def load(self, say: Say = lambda finding: None) -> Demonstrations:
        """Read, check and, if asked for, rescale and clip the set.

        Args:
            say: Called with what only the reader of this layout sees.

        Raises:
            DataError: The set is missing, broken, has fewer episodes than `n_episodes`, holds
                numbers that are not finite, has actions outside [-1, 1] and is not clipped, or has
                another hash than `hash`.
        """
        where = self.where()
        arrays = as_loaded(self.stored(say))
        check_finite(arrays, where)
        n_rescaled = n_clipped = 0
        arrays |= self.source_range(arrays)
        if (bounds := self.mapped_range()) is not None:
            rescaled = rescale(arrays["actions"], *bounds, where)
            n_rescaled = int((rescaled != arrays["actions"]).sum())
            arrays["actions"] = rescaled
        if self.clips():
            n_clipped = int((np.abs(arrays["actions"]) > 1.0).sum())
            arrays["actions"] = np.clip(arrays["actions"], -1.0, 1.0)
        size = arrays["actions"].size
        for what, changed in (("rescaled", n_rescaled), ("clipped", n_clipped)):
            if changed:
                logger.info("%s: %s %d of %d action entries", where, what, changed, size)
        loaded = Demonstrations(**arrays, source=where, n_rescaled=n_rescaled, n_clipped=n_clipped)
        if self.hash is not None and loaded.hash != self.hash:
            raise DataError(f"{where}: is another set than expected, its hash is {loaded.hash}")
        return loaded

    def stored(self, say: Say = lambda finding: None) -> dict[str, NDArray[Any]]:
        """The chosen episodes as they are stored, by the names of `Demonstrations`.

        Shapes are checked; numbers may be NaN and actions outside [-1, 1].

        Args:
            say: As for `load`.

        Raises:
            DataError: The set is missing, broken, or has not the episodes asked for.
        """
        where = self.where()
        arrays = self._read(say)
        if self.action_range is not None:
            arrays.pop("action_bounds", None)
        if self.drop_rewards:
            arrays.pop("rewards", None)
        check_shapes(arrays, where)
        episodes = len(arrays["episode_lengths"])
        if (problem := self._misses(episodes)) is not None:
            raise DataError(f"{where}: {problem}")
        kept = np.setdiff1d(np.arange(self.n_episodes or episodes), self.exclude)
        owner = np.repeat(np.arange(episodes), arrays["episode_lengths"])
        steps = np.isin(owner, kept)
        return taken(arrays, kept, steps)

    def _misses(self, episodes: int) -> str | None:
        """What is wrong with the choice of episodes from a set of so many; None if nothing."""
        wanted = self.n_episodes or episodes
        if wanted > episodes:
            return f"n_episodes is {wanted}, but there are {episodes} episodes"
        if max(self.exclude, default=0) < wanted and len(set(self.exclude)) < wanted:
            return None
        return (
            f"exclude must name some of the episodes 0 to {wanted - 1}, not all; "
            f"got {list(self.exclude)}"
        )

    def clips(self) -> bool:
        """Whether actions are clipped when the set is loaded."""
        return self.clip

    def mapped_range(self) -> tuple[ActionBound, ActionBound] | None:
        """The range of the stored actions that is mapped onto [-1, 1]; None if none is.

        It is `action_range`, or else what the set itself declares.
        """
        return self.action_range

    def source_range(self, stored: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float64]]:
        """The array `source_range` of `Demonstrations`, of what `stored` gave, if it has one.

        Raises:
            DataError: `action_range` does not fit the actions.
        """
        before = stored.get("source_range")
        if self.action_range is None:
            return {} if before is None else {"source_range": before}
        ends = action_ends(*self.action_range, stored["actions"].shape[1], self.where())
        ends = range_mapped(ends, before)
        return {} if ends is None else {"source_range": ends}

    def remarks(self) -> list[Finding]:
        """What only the reader of this layout sees; reads the set."""
        found: list[Finding] = []
        self.stored(found.append)
        return found

    def where(self) -> str:
        """What to call the set in messages."""
        return f"{self.source} {self._place()}"

    def _told_dimensions(self) -> tuple[int, int] | None:
        """What `dimensions` gives, of a set that is there and whole; reads none of its steps."""
        return None

    @abstractmethod
    def _place(self) -> str:
        """The file or name of the set."""

    @abstractmethod
    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        """The arrays of `Demonstrations` by name, numeric, not yet checked against each other."""


class FileConfig(DemonstrationsConfig, frozen=True):
    """A set in one file, or in one folder."""

    path: Path
    """The file, or the folder of a LeRobot set."""

    def require_files(self) -> None:
        """Look for the file."""
        regular_file(self.path, self.where())

    def _place(self) -> str:
        return str(self.path)


def as_loaded(stored: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays in the types of `Demonstrations`; what float32 cannot hold becomes infinite."""
    with np.errstate(over="ignore"):
        return {name: array.astype(FIELDS[name]) for name, array in stored.items()}


_NO_RANGE = "action_range must be lowest first, got {} and {}"


def _is_range(low: ActionBound, high: ActionBound) -> bool:
    """Whether bounds (A,) or numbers fit each other, the lowest below the highest."""
    ends = np.atleast_1d(low), np.atleast_1d(high)
    alike = len(ends[0]) == len(ends[1]) or 1 in (len(ends[0]), len(ends[1]))
    return alike and bool((ends[0] < ends[1]).all())


def rescale(
    actions: NDArray[np.float32], low: ActionBound, high: ActionBound, where: str
) -> NDArray[np.float32]:
    """Map actions (N, A) linearly so that `low` becomes -1 and `high` 1, bounds (A,) or numbers.

    Raises:
        DataError: The bounds do not fit the actions, are not finite, or low is not below high.
    """
    bounds = action_ends(low, high, actions.shape[1], where)
    share = (actions - bounds[0]) / (bounds[1] - bounds[0])
    # The bounds themselves land on -1 and 1 exactly, though actions and bounds are float32.
    mapped = 2.0 * share - 1.0
    return np.where(np.abs(np.abs(mapped) - 1.0) < 1e-6, np.sign(mapped), mapped).astype(np.float32)


def action_ends(low: ActionBound, high: ActionBound, width: int, where: str) -> NDArray[np.float64]:
    """The lowest and the highest action (2, `width`), of one number each or one a dimension.

    Raises:
        DataError: As for `rescale`.
    """
    ends = np.empty((2, width))
    for end, name, bound in zip(ends, ("lowest", "highest"), (low, high), strict=True):
        given = np.asarray(bound, np.float64)
        if given.shape not in ((), (width,)) or not np.isfinite(given).all():
            raise DataError(
                f"{where}: the {name} action must be one finite number or {width}, not {given}"
            )
        end[:] = given
    if not (ends[0] < ends[1]).all():
        raise DataError(f"{where}: {_NO_RANGE.format(low, high)}")
    return ends
