"""Demonstrations from a LeRobot data set: a folder with `meta/info.json` and parquet files.

Versions 2 and 3 of the format: one row a frame, with `episode_index`, `frame_index`, vectors under
`observation.state` and `action` and, where there are, `next.reward` and `next.success`. A state
that is spread over several columns is named with commas, as `observation.state,observation.effort`.
Images are not read. The state after an episode's last action is not stored, so its last frame's
state becomes the final state and that frame's action is dropped. Needs
`pip install "nppac-envs[lerobot]"`.

A robot's actions are seldom in [-1, 1]: give `action_range` the range of each joint.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.config import FileConfig, Say
from nppac_envs.demonstrations.dataset import PER_SET
from nppac_envs.demonstrations.field_map import FieldNames, named, names_in, renamed
from nppac_envs.demonstrations.file_guard import (
    check_unfolded,
    expanded,
    read_json_object,
    regular_file,
)
from nppac_envs.demonstrations.findings import holes_finding, left_out_finding
from nppac_envs.demonstrations.flat_steps import arrays_of_steps
from nppac_envs.errors import ConfigError, DataError


@final
class LerobotFields(FieldNames, frozen=True):
    """Which columns of the data set are which."""

    states: str = "observation.state"
    """Columns of state vectors, with commas between them."""
    actions: str = "action"
    """Columns of action vectors, with commas between them."""
    rewards: str = "next.reward"
    """Reward column, if there is one."""
    successes: str = "next.success"
    """Success column, if there is one."""
    terminals: str = "next.terminal"
    """Column of flags, true in the last frame of an episode that ends in a terminal state, if there
    is one."""


@final
class LerobotConfig(FileConfig, frozen=True):
    """A LeRobot data set on disk, without its images."""

    source: Literal["lerobot"] = "lerobot"
    """Kind of source."""
    fields: LerobotFields = named(LerobotFields)

    def require_files(self) -> None:
        """Look for the folder's parquet files."""
        _files(expanded(self.path), self.where())

    def _read(self, say: Say) -> dict[str, NDArray[Any]]:
        where = self.where()
        folder = expanded(self.path)
        columns, left_out = _read_columns(folder, self.fields, where)
        info = read_json_object(folder / "meta" / "info.json", where)
        order = np.lexsort((columns["frame_index"], columns["episode_index"]))
        columns = {name: column[order] for name, column in columns.items()}
        episodes, frames = columns.pop("episode_index"), columns.pop("frame_index")
        ends = np.append(np.flatnonzero(np.diff(episodes)) + 1, len(episodes))
        lengths = np.diff(ends, prepend=0)
        expected = np.concatenate([np.arange(length) for length in lengths])
        if (frames != expected).any():
            wrong = int(np.flatnonzero(frames != expected)[0])
            raise DataError(
                f"{where}: episode {episodes[wrong]} lacks or repeats frame {expected[wrong]}"
            )
        _check_totals(info, len(ends), len(episodes), where)
        for name in {"successes", "terminals"} & columns.keys():
            if not np.isin(columns[name], (0, 1)).all():
                stored = getattr(self.fields, name)
                raise DataError(f"{where}: {stored!r} must hold true and false")
        times, terminals = columns.pop("times", None), columns.pop("terminals", None)
        if left_out:
            say(left_out_finding(left_out, [*names_in(self.fields.states), *left_out]))
        fps = info.get("fps")
        if times is not None and isinstance(fps, int | float) and fps > 0:
            for finding in holes_finding(times, lengths, 1.0 / fps, set(self.exclude)):
                say(finding)
        arrays = arrays_of_steps(columns, ends, where, exclude=self.exclude)
        if terminals is not None and terminals.any():
            # The last frame is the state that the last action led to.
            arrays["terminations"] = terminals[ends - 1].astype(np.bool_)
        return arrays | _action_ranges(info, where)


def _files(folder: Path, where: str) -> list[Path]:
    """The parquet files of a set, which is refused where there are none."""
    files = sorted((folder / "data").rglob("*.parquet"))
    if not files:
        raise DataError(f"{where}: there is no parquet file under {(folder / 'data').absolute()}")
    return files


def _read_columns(
    folder: Path, fields: LerobotFields, where: str
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The columns by our names, over all files, and the vectors of observations that are none."""
    files = _files(folder, where)
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            'LeRobot data needs pyarrow; pip install "nppac-envs[lerobot]"'
        ) from error
    try:
        parts = [_read_file(path, fields, f"{where}: {path.name}") for path in files]
        names = set.intersection(*(set(part) for part, _ in parts))
        columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in names}
        return columns, parts[0][1]
    except DataError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{where}: cannot be read ({type(error).__name__}: {reason})") from error


def _read_file(
    path: Path, fields: LerobotFields, where: str
) -> tuple[dict[str, NDArray[Any]], list[str]]:
    from pyarrow import parquet

    required = {"episode_index": ["episode_index"], "frame_index": ["frame_index"]}
    required |= {"states": names_in(fields.states), "actions": names_in(fields.actions)}
    optional = {name: getattr(fields, name) for name in ("rewards", "successes", "terminals")}
    optional["times"] = "timestamp"
    with parquet.ParquetFile(regular_file(path, where)) as file:
        schema = file.schema_arrow
        needed = required | {name: names_in(getattr(fields, name)) for name in renamed(fields)}
        for name, stored in needed.items():
            missing = [part for part in stored if part not in schema.names]
            if missing:
                raise _lacking(missing[0], name, schema.names, where)
        wanted = required | {name: [col] for name, col in optional.items() if col in schema.names}
        read = [*chain(*wanted.values())]
        check_unfolded(_declared(file.metadata, set(read)), path, where)
        table = file.read(columns=read)
    columns = {
        name: _joined([_column(table.column(col), name, where) for col in stored])
        for name, stored in wanted.items()
    }
    return columns, [name for name in _vectors(schema) if name not in read]


def _lacking(stored: str, name: str, there: list[str], where: str) -> DataError:
    message = f"{where}: has no column {stored!r} ({name}); it has {', '.join(there)}"
    if name in ("states", "actions"):
        advice = f"name those of the {name}, with commas: {{fields}}"
        return DataError(message, advice, fields={name: "NAME,NAME"})
    if name in LerobotFields.model_fields:
        return DataError(message, "name the one that is meant: {fields}", fields={name: "NAME"})
    return DataError(message)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _vectors(schema: Any) -> Iterator[str]:
    """The columns of observations that hold lists of numbers."""
    import pyarrow as pa

    for field in schema:
        kind = field.type
        lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
        if not field.name.startswith("observation") or not any(of(kind) for of in lists):
            continue
        if pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type):
            yield field.name


def _declared(metadata: Any, names: set[str]) -> int:
    """The bytes that the numbers of some columns take when they are read, eight a number."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    # A vector's path in the schema goes on after its name: action.list.element.
    wanted = [c for c in chunks if any(f"{c.path_in_schema}.".startswith(f"{n}.") for n in names)]
    sizes = [max(chunk.total_uncompressed_size, 8 * chunk.num_values) for chunk in wanted]
    return sum(sizes) + 8 * sum(group.num_rows for group in groups)


def _column(column: Any, name: str, where: str) -> NDArray[Any]:
    """(N, width) numbers of states and actions, (N,) of the rest."""
    import pyarrow as pa

    array = column.combine_chunks()
    kind = array.type
    unknown = name == "rewards" and pa.types.is_floating(kind)  # read as NaN
    if column.null_count and not unknown:
        raise DataError(f"{where}: {name} has {column.null_count} missing values")
    variable = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (variable or pa.types.is_fixed_size_list(kind)):
        values = _plain(array, name, where)
        return values[:, None] if name in ("states", "actions") else values
    values = _plain(array.flatten(), name, where)
    width = len(values) // max(len(array), 1)
    sizes = np.diff(array.offsets.to_numpy()) if variable else np.array([width])
    if (sizes != width).any() or width == 0:
        raise DataError(f"{where}: {name} must be vectors of one size")
    matrix = values.reshape(-1, width)
    return matrix if name in ("states", "actions") else matrix[:, 0]


def _plain(array: Any, name: str, where: str) -> NDArray[Any]:
    values = array.to_numpy(zero_copy_only=False)
    kinds = "iu" if name.endswith("_index") else "biuf"
    if values.dtype.kind not in kinds:
        raise DataError(f"{where}: {name} holds {array.type}, not numbers")
    return values


def _check_totals(info: dict[str, Any], episodes: int, frames: int, where: str) -> None:
    """Refuse a set that was fetched or copied in part."""
    expected = info.get("total_episodes"), info.get("total_frames")
    if not all(isinstance(number, int) for number in expected):
        raise DataError(f"{where}: info.json does not tell total_episodes and total_frames")
    if expected != (episodes, frames):
        raise DataError(
            f"{where}: holds {episodes} episodes and {frames} frames, but info.json says "
            f"{expected[0]} and {expected[1]}; fetch it again"
        )


def _action_ranges(info: dict[str, Any], where: str) -> dict[str, NDArray[Any]]:
    """What -1 and 1 stand for, by the names of `Demonstrations`, where the set declares it."""
    action: Any = info
    for name in ("features", "action"):
        action = action.get(name) if isinstance(action, dict) else None
    action = action if isinstance(action, dict) else {}
    declared = {name: action[name] for name in PER_SET if action.get(name) is not None}
    try:
        return {name: np.array(ends, np.float64) for name, ends in declared.items()}
    except (TypeError, ValueError) as error:
        names = ", ".join(declared)
        raise DataError(f"{where}: info.json has {names} that are no numbers") from error
