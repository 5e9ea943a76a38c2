"""Reading npz files from strangers, and writing them so that no half-written file is ever seen.

A member is read only after its header has been checked: plain numbers, and exactly as many bytes
as the archive holds for it. Only NumPy's own ways of compression are undone, and nothing is
unpickled.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from nppac_envs.demonstrations.file_guard import check_unfolded, regular_file
from nppac_envs.demonstrations.writing import complete_file
from nppac_envs.errors import DataError

NpzShapes = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]
"""Shape and number type of every array, by name."""
MAX_DEFLATE_RATIO = 1032
_READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read those of the arrays `names` that the file has.

    Raises:
        DataError: The file is missing, is no npz file, is damaged, or an array does not hold
            plain numbers or declares another size than it has.
    """
    path = regular_file(path, str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename: info for info in archive.infolist()}
            wanted = {name: members[f"{name}.npy"] for name in names if f"{name}.npy" in members}
            if len(members) < len(archive.infolist()):
                raise DataError(f"{path}: holds two arrays of one name")
            sizes = [_check_member(archive, info, path) for info in wanted.values()]
            check_unfolded(sum(sizes), path, str(path))
            return {name: _read_member(archive, info) for name, info in wanted.items()}
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path}: not a readable npz file ({type(error).__name__}); write it with numpy.savez"
        ) from error


def npz_shapes(path: Path) -> NpzShapes:
    """Shape and number type of every array, by name; reads their headers only.

    Raises:
        DataError: The file is missing or is no npz file.
    """
    path = regular_file(path, str(path))
    shapes = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                with archive.open(info) as file:
                    shape, _, dtype = _read_header(file)
                shapes[info.filename.removesuffix(".npy")] = shape, dtype
    except Exception as error:
        raise DataError(
            f"{path}: not a readable npz file ({type(error).__name__}); write it with numpy.savez"
        ) from error
    return shapes


def _check_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> int:
    """The bytes that a member's numbers will take, as float32 or wider; reads its header only."""
    name = info.filename.removesuffix(".npy")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{path}: {name} is compressed in another way than numpy does")
    if info.file_size > info.compress_size * MAX_DEFLATE_RATIO:
        raise DataError(f"{path}: {name} declares more bytes than the file can hold")
    with archive.open(info) as file:
        shape, _, dtype = _read_header(file)
        if dtype.kind not in "biuf":
            raise DataError(f"{path}: {name} holds {dtype}, not plain numbers")
        size = dtype.itemsize
        for extent in shape:
            size *= extent
        if min(shape, default=0) < 0 or size != info.file_size - file.tell():
            raise DataError(
                f"{path}: {name} declares shape {shape} of {dtype}, {size} bytes, "
                f"but {info.file_size - file.tell()} bytes are there"
            )
    return max(size, 4 * size // dtype.itemsize)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as file:
        shape, fortran, dtype = _read_header(file)
        values = np.frombuffer(file.read(), dtype)
    return values.reshape(shape, order="F" if fortran else "C")


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    if version not in _READ_HEADER:
        raise ValueError(f"npy version {version}")
    return _READ_HEADER[version](file, max_header_size=10_000)


def read_npy_header(raw: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether the order is Fortran's, number type, and where the content starts.

    Raises:
        ValueError: `raw` is no npy file.
    """
    file = io.BytesIO(raw)
    return *_read_header(file), file.tell()


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a compressed npz file beside `path` and move it there.

    Raises:
        DataError: The folder is missing or cannot be written to.
    """
    with complete_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
