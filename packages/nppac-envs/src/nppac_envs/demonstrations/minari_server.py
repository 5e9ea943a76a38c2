"""Fetching a set from Minari's server, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from nppac_envs.demonstrations.file_guard import expanded
from nppac_envs.demonstrations.public_sets import minari_page
from nppac_envs.errors import DataError

ROOT_VARIABLE = "MINARI_DATASETS_PATH"
"""Where Minari has its sets, by its own rules"""
_variable = threading.RLock()
"""Held while the variable is another, for it is the whole process's"""


def default_root() -> Path:
    """Minari's folder of sets; waits while a fetch of another thread has it elsewhere."""
    with _variable:
        return expanded(os.environ.get(ROOT_VARIABLE) or Path.home() / ".minari" / "datasets")


def fetch(id: str, root: Path, where: str) -> None:
    """Fetch a set into its folder below `root`, whole or not at all.

    Of several who fetch it at once, the first one's is what all of them read.

    Args:
        id: Name of the set.
        root: Folder of Minari sets.
        where: Named in messages.

    Raises:
        DataError: It cannot be fetched; the message says where its files go without a network.
    """
    import minari

    folder = root / id / "data"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=root) as own:
            with _attempts_untold(), _datasets_in(own):
                minari.download_dataset(id)
            _put_into_place(Path(own) / id / "data", folder)
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(
            f"{where}: cannot be fetched ({type(error).__name__}: {reason}); without a network put "
            f"main_data.hdf5 and metadata.json of {minari_page(id)} into {folder}"
        ) from error


@contextlib.contextmanager
def _datasets_in(folder: str) -> Iterator[None]:
    """While open, Minari keeps its sets in another folder; one at a time."""
    with _variable:
        before = os.environ.get(ROOT_VARIABLE)
        os.environ[ROOT_VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[ROOT_VARIABLE]
            else:
                os.environ[ROOT_VARIABLE] = before


def _put_into_place(arrived: Path, folder: Path) -> None:
    """Move a folder to where it belongs, unless another one is there by now."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        arrived.rename(folder)
    except OSError:
        if not folder.exists() and arrived.exists():
            raise


@contextlib.contextmanager
def _attempts_untold() -> Iterator[None]:
    """While open, the library behind Minari's server does not tell each attempt, twice."""
    try:
        from huggingface_hub.utils import logging as server
    except ImportError:
        yield
        return
    level = server.get_verbosity()
    server.set_verbosity_error()
    try:
        yield
    finally:
        server.set_verbosity(level)
