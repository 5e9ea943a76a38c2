"""Writing demonstrations as a Minari set, for any tool that reads one."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.file_guard import expanded
from nppac_envs.errors import DataError

if TYPE_CHECKING:
    from minari.data_collector import EpisodeBuffer

_ID = re.compile(r"([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+-v\d+")


def write_minari(
    demonstrations: Demonstrations,
    id: str,
    root: Path,
    *,
    description: str = "",
    further: Mapping[str, Any] | None = None,
) -> Path:
    """Write a set that `MinariConfig(id=id, root=root)` and Minari itself read.

    It appears under its name when it is complete. Minari has no set without rewards: rewards that
    are not known are written as NaN.

    Args:
        demonstrations: What to write.
        id: Name of the set, such as door/mine-v0.
        root: Folder of Minari sets.
        description: For readers of the set.
        further: JSON data that its metadata hold beside Minari's own.

    Returns:
        The folder of the set.

    Raises:
        DataError: The id is malformed or taken, or the folder cannot be written to.
    """
    if not _ID.fullmatch(id):
        raise DataError(f"{id!r} is no name of a Minari set; it reads like door/mine-v0")
    root = expanded(root).resolve()
    folder = root / id
    if folder.exists():
        raise DataError(f"{folder}: is there already; choose another id")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".minari-", dir=root) as temporary:
            _write(demonstrations, id, description, further or {}, Path(temporary) / "data")
            for parent in folder.relative_to(root).parents[:-1]:
                (root / parent / "namespace_metadata.json").write_text("{}")
            folder.mkdir()
            os.replace(Path(temporary) / "data", folder / "data")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    return folder


def _write(
    demonstrations: Demonstrations,
    id: str,
    description: str,
    further: Mapping[str, Any],
    data: Path,
) -> None:
    from gymnasium.spaces import Box
    from minari.dataset.minari_storage import MinariStorage

    data.mkdir()
    state, action = demonstrations.state_dim, demonstrations.action_dim
    storage = MinariStorage.new(
        data,
        observation_space=Box(-np.inf, np.inf, (state,), np.float32),
        action_space=Box(-1.0, 1.0, (action,), np.float32),
        data_format="hdf5",
    )
    storage.update_episodes(_buffers(demonstrations))
    import minari

    moved = demonstrations.moved_successes
    storage.update_metadata(
        {
            "dataset_id": id,
            "description": description or f"Converted from {demonstrations.source}.",
            "minari_version": minari.__version__,
        }
        | {**further}
        | {name: of.tolist() for name, of in demonstrations.ranges().items()}
        | ({} if moved is None else {"moved_successes": moved.tolist()})
    )


def _buffers(demonstrations: Demonstrations) -> Iterator[EpisodeBuffer]:
    from minari.data_collector import EpisodeBuffer

    lengths = demonstrations.episode_lengths
    starts = np.cumsum(lengths) - lengths
    for number, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        steps = slice(int(start), int(start + length))
        final = demonstrations.final_states[number]
        rewards, flags = demonstrations.rewards, demonstrations.successes
        terminations = np.zeros(length, np.bool_)
        if demonstrations.terminations is not None:
            terminations[-1] = demonstrations.terminations[number]
        truncations = np.zeros(length, np.bool_)
        truncations[-1] = not terminations[-1]
        yield EpisodeBuffer(
            id=number,
            observations=[*demonstrations.states[steps], final],
            actions=list(demonstrations.actions[steps]),
            rewards=(np.full(length, np.nan) if rewards is None else rewards[steps]).tolist(),
            terminations=terminations.tolist(),
            truncations=truncations.tolist(),
            infos=None if flags is None else {"success": np.concatenate([[False], flags[steps]])},
        )
