"""Holds a set to what was fetched first, where nobody could write its hash down before."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from nppac_envs.demonstrations.file_guard import read_json_object, sha256_of
from nppac_envs.demonstrations.writing import complete_file
from nppac_envs.errors import DataError

FILES = ("main_data.hdf5", "metadata.json")
"""Of a Minari set, in its folder `data`."""
RECORD = "first-download.json"
"""Beside that folder: the SHA-256 (hex) of each of `FILES` when they arrived first."""
_HASH = re.compile("[0-9a-f]{64}")


def keep_first_download(data: Path) -> bool:
    """Write down what is in the folder `data` of a set, after `check_first_download`.

    Nothing is written where the folder is only to be read: nobody can change the set there either.

    Returns:
        Whether it is written down.

    Raises:
        DataError: It cannot be written.
    """
    if not os.access(data.parent, os.W_OK):
        return False
    with complete_file(data.parent / RECORD) as temporary:
        temporary.write_text(json.dumps(_hashes(data), indent=2) + "\n", encoding="utf-8")
    return True


def check_first_download(data: Path, where: str) -> bool:
    """Hold a set to what was fetched first; false where that was not written down.

    Raises:
        DataError: A file is another one now, or the record is damaged.
    """
    record = data.parent / RECORD
    if not record.exists():
        return False
    known, now = _known(record, where), _hashes(data)
    if not all(_HASH.fullmatch(str(known.get(name))) for name in FILES):
        raise DataError(
            f"{where}: {record} does not say what arrived first, but has been damaged; remove it, "
            "and the set is held to the files as they are then"
        )
    changed = [name for name in FILES if known.get(name) != now.get(name)]
    if changed:
        raise DataError(
            f"{where}: {' and '.join(changed)} in {data} changed since the first download: what is "
            f"published is another set now, or somebody wrote there; look at it, and remove "
            f"{record} to use it"
        )
    return True


def _known(record: Path, where: str) -> dict[str, Any]:
    """What the record says; nothing if it is damaged."""
    try:
        return read_json_object(record, where)
    except DataError:
        return {}


def _hashes(data: Path) -> dict[str, str]:
    return {name: sha256_of(data / name) for name in FILES if (data / name).is_file()}
