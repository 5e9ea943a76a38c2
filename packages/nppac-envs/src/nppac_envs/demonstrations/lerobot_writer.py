"""Writing demonstrations as a LeRobot data set, version 3 of the format, without images.

Every frame of that format has an action, and the state after an episode's last one has no place
of its own: it becomes one more frame, with the last action again, no reward, and `next.done`.
`LerobotConfig` takes that frame for what it is. Needs `pip install "nppac-envs[lerobot]"`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.writing import complete_folder
from nppac_envs.errors import ConfigError

Columns = dict[str, NDArray[Any]]


def write_lerobot(demonstrations: Demonstrations, folder: Path, *, fps: int = 10) -> None:
    """Write a folder that `LerobotConfig(path=folder)` reads as the same set.

    Args:
        demonstrations: What to write.
        folder: A new one.
        fps: Steps a second, for timestamps.

    Raises:
        ConfigError: PyArrow is missing, or `fps` is below 1.
        DataError: The folder is there already, or cannot be written.
    """
    if fps < 1:
        raise ConfigError(f"fps must be 1 or more; got {fps}")
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            'LeRobot data needs pyarrow; pip install "nppac-envs[lerobot]"'
        ) from error
    columns = _frames(demonstrations, fps)
    with complete_folder(folder) as temporary:
        _write_table(temporary / "data" / "chunk-000" / "file-000.parquet", columns)
        meta = temporary / "meta"
        lengths = demonstrations.episode_lengths + 1
        _write_table(meta / "episodes" / "chunk-000" / "file-000.parquet", _episodes(lengths))
        task = {"task_index": np.zeros(1, np.int64), "task": np.array([demonstrations.source])}
        _write_table(meta / "tasks.parquet", task, index="task")
        info = _info(demonstrations, columns, fps)
        (meta / "info.json").write_text(json.dumps(info, indent=4), encoding="utf-8")
        stats = {name: _statistics(column) for name, column in columns.items()}
        (meta / "stats.json").write_text(json.dumps(stats, indent=4), encoding="utf-8")


def _frames(demonstrations: Demonstrations, fps: int) -> Columns:
    """One row a frame, with one more frame in each episode than it has steps."""
    d = demonstrations
    lengths = d.episode_lengths + 1
    last = np.cumsum(lengths) - 1
    step = np.ones(lengths.sum(), np.bool_)
    step[last] = False
    before = np.maximum(np.cumsum(step) - 1, 0)
    states = d.states[before]
    states[last] = d.final_states
    index = np.arange(len(step))
    number = index - np.repeat(last - lengths + 1, lengths)
    columns: Columns = {"observation.state": states, "action": d.actions[before]}
    if d.rewards is not None:
        columns["next.reward"] = np.where(step, d.rewards[before], np.float32(0.0))
    if d.successes is not None:
        columns["next.success"] = d.successes[before]
        if d.moved_successes is not None:  # as it was recorded: of the frame that is used up
            columns["next.success"][last[d.moved_successes] - 1] = False
    if d.terminations is not None:
        columns["next.terminal"] = np.zeros(len(step), np.bool_)
        columns["next.terminal"][last] = d.terminations
    columns["next.done"] = ~step
    columns["timestamp"] = (number / fps).astype(np.float32)
    columns["frame_index"] = number
    columns["episode_index"] = np.repeat(np.arange(len(lengths)), lengths)
    columns["index"] = index
    columns["task_index"] = np.zeros(len(step), np.int64)
    return columns


def _episodes(lengths: NDArray[np.int64]) -> Columns:
    """One row an episode: where its frames are."""
    zeros, ends = np.zeros(len(lengths), np.int64), np.cumsum(lengths)
    return {
        "episode_index": np.arange(len(lengths)),
        "length": lengths,
        "dataset_from_index": ends - lengths,
        "dataset_to_index": ends,
        "data/chunk_index": zeros,
        "data/file_index": zeros,
        "meta/episodes/chunk_index": zeros,
        "meta/episodes/file_index": zeros,
    }


def _info(demonstrations: Demonstrations, columns: Columns, fps: int) -> dict[str, Any]:
    features: dict[str, dict[str, Any]] = {
        name: {"dtype": column.dtype.name, "shape": list(column.shape[1:]) or [1], "names": None}
        for name, column in columns.items()
    }
    features["action"] |= {name: of.tolist() for name, of in demonstrations.ranges().items()}
    return {
        "codebase_version": "v3.0",
        "robot_type": None,
        "total_episodes": demonstrations.n_episodes,
        "total_frames": len(columns["index"]),
        "total_tasks": 1,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 500,
        "fps": fps,
        "splits": {"train": f"0:{demonstrations.n_episodes}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
        "features": features,
    }


def _statistics(column: NDArray[Any]) -> dict[str, list[Any]]:
    """What normalisation needs, over all frames; each a list of the column's size."""
    values = column.reshape(len(column), -1).astype(np.float64)
    found: dict[str, list[Any]] = {
        name: getattr(values, name)(axis=0).tolist() for name in ("min", "max", "mean", "std")
    }
    return found | {"count": [len(values)]}


def _write_table(path: Path, columns: Columns, index: str | None = None) -> None:
    """Columns as parquet; `index` is the one that pandas makes the index of."""
    import pyarrow as pa
    from pyarrow import parquet

    arrays = {name: _array(pa, column) for name, column in columns.items()}
    table = pa.table(arrays)
    if index is not None:
        types = {"pandas_type": "unicode", "numpy_type": "object", "metadata": None}
        columns_there = [{"name": index, "field_name": index, **types}]
        about = {"index_columns": [index], "columns": columns_there, "column_indexes": []}
        table = table.replace_schema_metadata({"pandas": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)


def _array(pa: Any, column: NDArray[Any]) -> Any:
    """Vectors as lists of one size, the rest as it is."""
    if column.ndim == 1:
        return pa.array(column)
    return pa.FixedSizeListArray.from_arrays(pa.array(column.ravel()), column.shape[1])
