"""Demonstrations from a pickle of the DAPG release (Rajeswaran et al., 2018).

The layout: a list with one dict a demonstration: `observations` (T, S), `actions` (T, A) and, if
there, `rewards` (T,). Observation t is the one that action t was taken in. The state after the last
action is not stored, so the last observation is the final state and the last action is dropped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, final

from numpy.typing import NDArray
from pydantic import Field

from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.episodes import Episode, join
from nppac_envs.demonstrations.numeric_pickle import PickledArray, load_numeric_pickle
from nppac_envs.errors import DataError


@final
class DapgConfig(DemonstrationsConfig, frozen=True):
    """A DAPG pickle, read without running what is in it.

    Always clips: these actions went through the simulator's own clipping when they were recorded.
    Rewards are as stored (dense); successes are not in the file.
    """

    source: Literal["dapg"] = Field(default="dapg", description="Kind of source.")
    path: Path = Field(description="The pickle.")

    def _where(self) -> str:
        return f"dapg {self.path}"

    def _clips(self) -> bool:
        return True

    def _read(self) -> dict[str, NDArray[Any]]:
        where = self._where()
        try:
            raw = self.path.expanduser().read_bytes()
            demos = load_numeric_pickle(raw)
        except OSError as error:
            raise DataError(f"{where}: cannot be read ({error.strerror})") from error
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(
                f"{where}: refused, not a pickle of plain arrays ({type(error).__name__}: {reason})"
            ) from error
        if not isinstance(demos, list) or not demos:
            raise DataError(
                f"{where}: must be a list of demonstrations, not {type(demos).__name__}"
            )
        episodes = [_episode(demo, f"{where}: demonstration {i}") for i, demo in enumerate(demos)]
        if sum(episode.observations.nbytes + episode.actions.nbytes for episode in episodes) > len(
            raw
        ):
            raise DataError(f"{where}: uses the same numbers for several demonstrations")
        return join(episodes, where)


def _episode(demo: Any, where: str) -> Episode:
    if not isinstance(demo, dict):
        raise DataError(f"{where}: must be a dict, not {type(demo).__name__}")
    observations, actions = (_array(demo, name, where) for name in ("observations", "actions"))
    if len(observations) != len(actions) or len(actions) < 2:
        raise DataError(
            f"{where}: needs as many observations as actions, two or more; has "
            f"{len(observations)} and {len(actions)}"
        )
    rewards = _array(demo, "rewards", where)[:-1] if "rewards" in demo else None
    return Episode(observations, actions[:-1], rewards)


def _array(demo: dict[str, Any], name: str, where: str) -> NDArray[Any]:
    value = demo.get(name)
    if not isinstance(value, PickledArray) or value.values.ndim == 0:
        raise DataError(f"{where}: must have an array {name!r}")
    return value.values
