"""What the two legacy pickle layouts (`dapg`, `awac`) have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, final

from numpy.typing import NDArray

from nppac_envs.demonstrations.file_guard import regular_file
from nppac_envs.errors import DataError


def read_legacy(path: Path, load: Callable[[bytes], Any], where: str) -> tuple[Any, int]:
    """The content of a file that `load` rebuilds, and the file's size in bytes.

    Raises:
        DataError: The file cannot be read, or asks for anything but plain arrays.
    """
    try:
        raw = regular_file(path, where).read_bytes()
        return load(raw), len(raw)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{where}: refused, not a pickle of plain arrays ({type(error).__name__}: {reason}); "
            "write the arrays again with numpy.savez"
        ) from error


@final
class NumberBudget:
    """Refuses a small file that would become a large set: a pickle can name one array many times.

    The numbers that a file gives may take no more bytes than the file.
    """

    def __init__(self, size: int) -> None:
        """`size` is that of the file in bytes."""
        self._left = size

    def spend(self, array: NDArray[Any], where: str) -> None:
        """Count an array that is about to be used.

        Raises:
            DataError: Together they take more bytes than the file.
        """
        self._left -= array.nbytes
        if self._left < 0:
            raise DataError(f"{where}: uses the same numbers for several demonstrations")
