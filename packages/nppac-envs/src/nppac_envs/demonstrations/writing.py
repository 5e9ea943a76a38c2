"""Files and folders that appear under their names when they are complete."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nppac_envs.demonstrations.file_guard import expanded, where_relative
from nppac_envs.errors import DataError


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """A path to write to, beside `path`; what was written replaces `path` at the end.

    Raises:
        DataError: The folder is missing or cannot be written to.
    """
    path = expanded(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        folder = where_relative(path)
        raise DataError(f"{path}: cannot be written{folder} ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def complete_folder(folder: Path) -> Iterator[Path]:
    """A folder to write to, beside `folder`, which it becomes at the end.

    Raises:
        DataError: `folder` is there already, or cannot be written.
    """
    folder = expanded(folder)
    if folder.exists():
        raise DataError(f"{folder}: is there already; choose another name")
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        yield temporary
        temporary.chmod(0o755)
        os.replace(temporary, folder)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
