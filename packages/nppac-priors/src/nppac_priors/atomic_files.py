"""Files that are whole at any moment: written beside, then moved into place.

A file in the making is called `.NAME.PID.partial`. A process that is killed leaves it behind, and
`remove_partials` removes it later. Files have the permissions that the user's umask gives.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_PARTIAL = re.compile(r"\..+\.(\d+)\.partial")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path to write a file's content to; the file is replaced when the block ends well.

    Content and name are on the disk when it returns, so that neither is lost with the power.

    Raises:
        OSError: The file cannot be written; what was there before is untouched.
    """
    partial = partial_path(path)
    try:
        yield partial
        _sync(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not every file system knows how to sync a folder
        _sync(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` atomically; make the folder where it is missing.

    Raises:
        OSError: The file cannot be written; what was there before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_json(path: Path, data: Any) -> None:
    """Write a JSON value atomically; numbers that are not finite become null.

    Raises:
        OSError: As for `write_bytes`.
    """
    text = json.dumps(finite(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def partial_path(path: Path) -> Path:
    """Where this process writes what will be at `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


def is_partial(name: str) -> bool:
    """Whether a file of this name is one in the making, or left behind by a kill."""
    return _PARTIAL.fullmatch(name) is not None


def remove_partials(folder: Path, is_running: Callable[[int], bool]) -> None:
    """Remove what killed processes left behind in a folder; other files are not touched.

    Args:
        folder: Nothing happens where there is none.
        is_running: Whether a process, given by its id, may still be writing.

    Raises:
        OSError: A file cannot be removed.
    """
    for path in folder.glob(".*.partial"):
        match = _PARTIAL.fullmatch(path.name)
        if match and path.is_file() and not is_running(int(match[1])):
            path.unlink(missing_ok=True)


def finite(value: Any) -> Any:
    """The same JSON value with null for every number that is not finite."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _sync(path: Path) -> None:
    """See to it that a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
