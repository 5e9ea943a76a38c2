"""Demonstrations from a Minari set (Younis et al., 2024), local or fetched from its server.

The hand sets of D4RL (`D4RL/door/human-v2` and its siblings for pen, relocate and hammer) are
mapped to the convention of N-PPAC: rewards are 1 on success and 0 elsewhere instead of dense, and
actions are clipped to [-1, 1], as the simulator did when they were recorded.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path, PurePath
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from nppac_envs.demonstrations.config import DemonstrationsConfig
from nppac_envs.demonstrations.episodes import Episode, join
from nppac_envs.demonstrations.file_guard import expanded, read_json_object, regular_file
from nppac_envs.demonstrations.hdf5_file import check_hdf5
from nppac_envs.errors import DataError

_HAND_SET = re.compile(r"D4RL/(door|pen|relocate|hammer)/[^/]+")


@final
class MinariConfig(DemonstrationsConfig, frozen=True):
    """A Minari set with Box observations and actions, e.g. `door/human-v0`.

    Successes come from `infos["success"]` where the set records it.
    """

    source: Literal["minari"] = Field(default="minari", description="Kind of source.")
    id: str = Field(min_length=1, description="Name of the set, e.g. door/human-v0.")
    root: Path | None = Field(
        default=None,
        description="Folder of Minari sets; null is MINARI_DATASETS_PATH or ~/.minari/datasets.",
    )
    download: bool = Field(
        default=False, description="Fetch the set from Minari's server if it is not there."
    )

    @model_validator(mode="after")
    def _download_goes_to_the_default_root(self) -> Self:
        if self.download and self.root is not None:
            raise ValueError("download needs root: null; set MINARI_DATASETS_PATH instead")
        return self

    @field_validator("id")
    @classmethod
    def _stays_below_the_root(cls, name: str) -> str:
        path = PurePath(name)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
            raise ValueError(f"{name!r} is no name of a set below root, such as door/human-v0")
        return name

    def _place(self) -> str:
        return str(self.id)

    def clips(self) -> bool:
        """True for the hand sets of D4RL, else as asked for."""
        return self.clip or _HAND_SET.fullmatch(self.id) is not None

    def _read(self) -> dict[str, NDArray[Any]]:
        import minari

        folder = self._folder() / self.id / "data"
        try:
            if self.download and not folder.exists():
                minari.download_dataset(self.id)
            _check_metadata(folder, self.where())
            check_hdf5(regular_file(folder / "main_data.hdf5", self.where()), self.where())
            dataset = minari.MinariDataset(folder)
            first = dataset.episode_indices[: self.n_episodes]
            episodes = [_episode(data, self.where()) for data in dataset.iterate_episodes(first)]
            if self.n_episodes is None:
                _check_totals(dataset, episodes, self.where())
        except DataError:
            raise
        except Exception as error:
            raise DataError(
                f"{self.where()}: cannot read {folder} ({type(error).__name__}: "
                f"{' '.join(str(error).split())[:200]})"
            ) from error
        arrays = join(episodes, self.where())
        if _HAND_SET.fullmatch(self.id) and "successes" in arrays:
            arrays["rewards"] = arrays["successes"].astype(np.float32)
        return arrays

    def _folder(self) -> Path:
        if self.root is not None:
            return expanded(self.root)
        default = Path.home() / ".minari" / "datasets"
        return Path(os.environ.get("MINARI_DATASETS_PATH") or default)


def _check_metadata(folder: Path, where: str) -> None:
    """Refuse a set without spaces: Minari would make the environment that the set names.

    Making it imports and runs whatever module its `env_spec` says, and a set is a stranger's file.
    """
    path = folder / "metadata.json"
    if not path.is_file():
        raise DataError(
            f"{where}: there is no Minari set at {folder}; check id and root, or set download: true"
        )
    metadata = read_json_object(path, where)
    for name in ("observation_space", "action_space"):
        space = json.loads(metadata.get(name) or "{}")
        if space.get("type") != "Box" or space["shape"] != [len(space["low"])]:
            raise DataError(
                f"{where}: its {name} must be a one-dimensional Box, and written in {path}"
            )
    if metadata.get("data_format") != "hdf5":
        raise DataError(f"{where}: is stored as {metadata.get('data_format')!r}, not as hdf5")
    episodes, largest = (
        metadata.get("total_episodes"),
        sum(f.stat().st_size for f in folder.iterdir()),
    )
    if not isinstance(episodes, int) or not 0 < episodes <= largest:
        raise DataError(f"{where}: {path.name} declares {episodes!r} episodes")


def _check_totals(dataset: Any, episodes: list[Episode], where: str) -> None:
    """Refuse a set that was fetched or copied in part."""
    steps = sum(len(episode.actions) for episode in episodes)
    if (len(episodes), steps) != (dataset.total_episodes, dataset.total_steps):
        raise DataError(
            f"{where}: holds {len(episodes)} episodes and {steps} steps, but its metadata says "
            f"{dataset.total_episodes} and {dataset.total_steps}; fetch it again"
        )


def _episode(data: Any, where: str) -> Episode:
    """Convert one `minari.EpisodeData`.

    Success flags may include one for the reset, which goes; rewards that are all NaN are unknown.
    """
    steps = len(data.actions)
    successes = (data.infos or {}).get("success")
    if successes is not None:
        successes = np.asarray(successes)
        if len(successes) not in (steps, steps + 1) or not np.isin(successes, (0, 1)).all():
            raise DataError(
                f"{where}: episode {data.id}: infos['success'] is no flag for each step"
            )
        successes = successes[len(successes) - steps :]
    terminated = bool(np.asarray(data.terminations)[-1]) if steps else False
    rewards = None if np.isnan(data.rewards).all() else data.rewards
    return Episode(data.observations, data.actions, rewards, successes, terminated)
