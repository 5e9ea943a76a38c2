"""What is asked of every file of a user before its content is read.

A path may name a pipe that never ends, and a file of a few kilobytes may declare, or unfold into,
many gigabytes. Every source opens its files through here.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from nppac_envs.demonstrations.public_sets import fetch_hint
from nppac_envs.errors import DataError

MAX_BYTES = 4 * 2**30
"""No file may be larger, nor may its numbers."""
_UNFOLDED = 64 * 2**20
_MAX_RATIO = 100


def expanded(path: str | Path) -> Path:
    """The path with the home folder in place of `~`; `~` stays where there is no such user."""
    return Path(os.path.expanduser(path))


def where_relative(path: Path) -> str:
    """` in FOLDER` for messages about a relative path; empty for an absolute one."""
    return "" if path.is_absolute() else f" in {Path.cwd()}"


def regular_file(path: Path, where: str) -> Path:
    """The path of a file that can be read to its end, with `~` expanded.

    Args:
        path: As the user gave it.
        where: Named in messages.

    Raises:
        DataError: There is nothing, or a folder, a pipe or a device, or more than 4 GiB.
    """
    path = expanded(path)
    try:
        status = path.stat()
    except FileNotFoundError as error:
        missing = f"no such file{where_relative(path)}{fetch_hint(path)}"
        raise DataError(f"{where}: {missing}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{where}: cannot be read ({reason})") from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise DataError(f"{where}: is {kind}, not a file")
    if status.st_size > MAX_BYTES:
        raise DataError(f"{where}: is larger than {MAX_BYTES // 2**30} GiB")
    return path


def check_unfolded(size: int, path: Path, where: str) -> None:
    """Refuse a file whose numbers take far more memory than the file takes on disk.

    Args:
        size: Bytes of the numbers that are about to be read, four an entry or more.
        path: The file.
        where: Named in messages.

    Raises:
        DataError: They take more than 64 MiB and more than 100 times the file, or over 4 GiB.
    """
    if size > MAX_BYTES:
        raise DataError(f"{where}: declares more than {MAX_BYTES // 2**30} GiB of numbers")
    if size > max(_UNFOLDED, _MAX_RATIO * path.stat().st_size):
        raise DataError(
            f"{where}: its numbers take {size / 2**20:.0f} MiB, over {_MAX_RATIO} times the file; "
            "a set of real recordings does not"
        )


def read_json_object(path: Path, where: str) -> dict[str, Any]:
    """The object that a JSON file of a data set holds.

    Raises:
        DataError: It cannot be read, or is no JSON object.
    """
    where = f"{where}: {path.name}"
    try:
        content = json.loads(regular_file(path, where).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{where}: is no JSON ({type(error).__name__})") from error
    if not isinstance(content, dict):
        raise DataError(f"{where}: holds no JSON object")
    return content


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hex.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
