"""`existing_file`: the first look at a file that a user named."""

from __future__ import annotations

import os
from pathlib import Path

from nppac_priors.errors import NppacError


def existing_file(path: str | Path, error: type[NppacError], what: str = "{}") -> Path:
    """The path of a regular file, with `~` expanded.

    Args:
        path: As the user gave it.
        error: What to raise.
        what: How messages call it, with `{}` for the path.

    Raises:
        NppacError: Of the type `error`: there is no file, or a folder, a pipe or a device.
    """
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        folder = "" if path.is_absolute() else f" in {Path.cwd()}"
        reason = "is no regular file" if path.exists() else f"no such file{folder}"
        raise error(f"{what.format(path)}: {reason}")
    return path
