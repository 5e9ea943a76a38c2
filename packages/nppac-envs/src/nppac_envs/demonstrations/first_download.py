"""Holds a set to what was fetched first, where nobody could write its hash down before."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nppac_envs.demonstrations.file_guard import read_json_object
from nppac_envs.demonstrations.writing import complete_file
from nppac_envs.errors import DataError

FILES = ("main_data.hdf5", "metadata.json")
"""Of a Minari set, in its folder `data`."""
RECORD = "first-download.json"
"""Beside that folder: the SHA-256 (hex) of each of `FILES` when they arrived first."""


def keep_first_download(data: Path) -> None:
    """Write down what has arrived in the folder `data` of a set, after `check_first_download`.

    Raises:
        DataError: It cannot be written.
    """
    with complete_file(data.parent / RECORD) as temporary:
        temporary.write_text(json.dumps(_hashes(data), indent=2) + "\n", encoding="utf-8")


def check_first_download(data: Path, where: str) -> None:
    """Hold a set to what was fetched first; to nothing where that was not written down.

    Raises:
        DataError: A file is another one now.
    """
    record = data.parent / RECORD
    if not record.exists():
        return
    known, now = read_json_object(record, where), _hashes(data)
    changed = [name for name in FILES if known.get(name) != now.get(name)]
    if changed:
        raise DataError(
            f"{where}: {' and '.join(changed)} in {data} changed since the first download: what is "
            f"published is another set now, or somebody wrote there; look at it, and remove "
            f"{record} to use it"
        )


def _hashes(data: Path) -> dict[str, str]:
    return {name: _sha256(data / name) for name in FILES if (data / name).is_file()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
