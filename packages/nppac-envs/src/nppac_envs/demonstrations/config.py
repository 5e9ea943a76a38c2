"""`DemonstrationsConfig`: what the sources of demonstrations have in common."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from nppac_envs.demonstrations.checks import check_finite, check_shapes
from nppac_envs.demonstrations.dataset import FIELDS, Demonstrations
from nppac_envs.errors import DataError

logger = logging.getLogger(__name__)


class DemonstrationsConfig(BaseModel, ABC, frozen=True, extra="forbid"):
    """Where demonstrations come from; a subclass reads them, this class checks and clips them."""

    source: str = Field(description="Kind of source.")
    n_episodes: int | None = Field(
        default=None, ge=1, description="Use the first n episodes; null uses all."
    )
    clip: bool = Field(
        default=False, description="Clip actions to [-1, 1] instead of refusing the set."
    )

    def load(self) -> Demonstrations:
        """Read, check and, if asked for, clip the set.

        Raises:
            DataError: The set is missing, broken, has fewer episodes than `n_episodes`, holds
                numbers that are not finite, or has actions outside [-1, 1] and is not clipped.
        """
        where = self._where()
        arrays = self._first_episodes(self._read(), where)
        n_clipped = 0
        if self._clips():
            n_clipped = int((np.abs(arrays["actions"]) > 1.0).sum())
            arrays["actions"] = np.clip(arrays["actions"], -1.0, 1.0)
        if n_clipped:
            size = arrays["actions"].size
            logger.info("%s: clipped %d of %d action entries", where, n_clipped, size)
        return Demonstrations(**arrays, source=where, n_clipped=n_clipped)

    def _first_episodes(
        self, arrays: dict[str, NDArray[Any]], where: str
    ) -> dict[str, NDArray[Any]]:
        check_shapes(arrays, where)
        episodes = len(arrays["episode_lengths"])
        wanted = self.n_episodes or episodes
        if wanted > episodes:
            raise DataError(f"{where}: n_episodes is {wanted}, but there are {episodes} episodes")
        steps = int(arrays["episode_lengths"][:wanted].sum())
        per_episode = ("final_states", "episode_lengths", "terminations")
        with np.errstate(over="ignore"):
            first = {
                name: array[: wanted if name in per_episode else steps].astype(FIELDS[name])
                for name, array in arrays.items()
            }
        check_finite(first, where)
        return first

    def _clips(self) -> bool:
        return self.clip

    @abstractmethod
    def _where(self) -> str:
        """What to call the set in messages."""

    @abstractmethod
    def _read(self) -> dict[str, NDArray[Any]]:
        """The arrays of `Demonstrations` by name, numeric, not yet checked against each other."""
