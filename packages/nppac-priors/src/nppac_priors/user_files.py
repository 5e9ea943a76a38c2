"""`user_path` and `existing_file`: what a path of a user means, and the first look at its file.

Every path of a command line, a config or a call goes through here: `~` is the home folder, and a
relative path starts at the folder that the command was started in.
"""

from __future__ import annotations

import os
from pathlib import Path

from nppac_priors.errors import NppacError


def user_path(path: str | Path) -> Path:
    """The path with the home folder in place of `~`; `~` stays where there is no such user."""
    return Path(os.path.expanduser(path))


def where_relative(path: Path) -> str:
    """` in FOLDER` for messages about a relative path; empty for an absolute one."""
    return "" if path.is_absolute() else f" in {Path.cwd()}"


def existing_file(path: str | Path, error: type[NppacError], what: str = "{}") -> Path:
    """The path of a regular file, with `~` expanded.

    Args:
        path: As the user gave it.
        error: What to raise.
        what: How messages call it, with `{}` for the path.

    Raises:
        NppacError: Of the type `error`: there is no file, or a folder, a pipe or a device.
    """
    path = user_path(path)
    if not path.is_file():
        reason = "is no regular file" if path.exists() else f"no such file{where_relative(path)}"
        raise error(f"{what.format(path)}: {reason}")
    return path
