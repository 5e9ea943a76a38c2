"""Checks of HDF5 files from strangers, before any of their numbers is read.

A file of a few bytes can declare terabytes of fill values, and can name other files of the machine
as the place of its numbers, or the same numbers many times over. All are refused here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nppac_envs.demonstrations.file_guard import check_unfolded
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
