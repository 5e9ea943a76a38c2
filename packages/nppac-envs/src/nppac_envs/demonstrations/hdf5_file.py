"""Checks of HDF5 files from strangers, before any of their numbers is read.

A file of a few bytes can declare terabytes of fill values, and can name other files of the machine
as the place of its numbers, or the same numbers many times over. All are refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.demonstrations.field_map import side_by_side
from nppac_envs.demonstrations.file_guard import check_unfolded, regular_file
from nppac_envs.demonstrations.npz_file import MAX_DEFLATE_RATIO
from nppac_envs.errors import DataError


def check_hdf5(path: Path, where: str) -> None:
    """Check every array of a file; run it before reading any.

    Raises:
        DataError: An array declares more bytes than the file can hold, is stored elsewhere, or is
            used in several places.
        Exception: Whatever a damaged file leads to in h5py.
    """
    import h5py

    total = 0
    with h5py.File(path, "r") as file:
        pending: list[Any] = [file]
        seen = set()
        while pending:
            group = pending.pop()
            for name in group:
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    raise DataError(f"{where}: {name!r} is stored elsewhere, not in {path}")
                item = group[name]
                if hash(item.id) in seen:
                    raise DataError(f"{where}: {item.name!r} is used in several places")
                seen.add(hash(item.id))
                if isinstance(item, h5py.Group):
                    pending.append(item)
                elif isinstance(item, h5py.Dataset):
                    total += _check_dataset(item, path, where)
    check_unfolded(total, path, where)


def _check_dataset(dataset: Any, path: Path, where: str) -> int:
    """The bytes that the numbers of a dataset take; those of a matrix become float32 or wider."""
    if dataset.external or dataset.is_virtual:
        raise DataError(f"{where}: {dataset.name!r} is stored elsewhere, not in {path}")
    size = dataset.size * dataset.dtype.itemsize
    if size > dataset.id.get_storage_size() * MAX_DEFLATE_RATIO:
        raise DataError(f"{where}: {dataset.name!r} declares more bytes than the file can hold")
    return max(size, 4 * dataset.size) if dataset.ndim <= 2 else size


@contextmanager
def opened(path: Path, where: str) -> Iterator[Any]:
    """A checked file, open for reading.

    Raises:
        DataError: It cannot be read, here or in the block.
    """
    import h5py

    path = regular_file(path, where)
    try:
        check_hdf5(path, where)
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{where}: not a readable HDF5 file ({type(error).__name__}: {reason})"
        ) from error


def listed(group: Any) -> str:
    """The arrays below a group with their shapes, for messages; at most twelve."""
    import h5py

    found: list[str] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(f"{name} {item.shape}")

    group.visititems(visit)
    return ", ".join(found[:12]) + (", ..." if len(found) > 12 else "") or "no arrays"


def episodes_parent(file: Any) -> str | None:
    """A group at the top of a file, or its root, all of whose members are groups of one kind."""
    import h5py

    for name in (*file, "/"):
        group = file[name]
        members = [*group.values()] if isinstance(group, h5py.Group) else []
        if len(members) > 1 and all(isinstance(member, h5py.Group) for member in members):
            names = {frozenset(member) for member in members}
            if len(names) == 1 and names != {frozenset()}:
                return name
    return None


def read_action_ranges(file: Any, bounds: str, where: str) -> dict[str, NDArray[Any]]:
    """What -1 and 1 stand for, by the names of `Demonstrations`, where a file has it.

    Args:
        file: The file.
        bounds: What it calls `action_bounds`; `source_range` has one name.
        where: Named in messages.
    """
    names = {"action_bounds": bounds, "source_range": "source_range"}
    found = {ours: theirs for ours, theirs in names.items() if theirs in file}
    return {ours: read_columns(file, [theirs], where) for ours, theirs in found.items()}


def read_columns(group: Any, names: Sequence[str], where: str) -> NDArray[Any]:
    """Arrays of one row a step; several are put side by side, as (N, their columns together).

    Raises:
        DataError: One is no array of numbers, or they do not fit side by side.
    """
    import h5py

    parts = {}
    for name in names:
        item = group.get(name)
        if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "biuf":
            raise DataError(
                f"{where}: must have an array of numbers {name!r}; it has {listed(group)}"
            )
        parts[name] = np.asarray(item[()])
        if parts[name].ndim < 1:
            raise DataError(f"{where}: {name!r} has shape (); all need one row a step")
    return side_by_side(parts, where)
