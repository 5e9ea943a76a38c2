"""Importing the module of a plugin: what it prints does no harm, and one that hangs is named."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
import threading
from collections.abc import Iterator

LEAVE_OUT_VARIABLE = "NPPAC_WITHOUT_PLUGINS"
"""Comma-separated distributions whose plugins are not to be imported."""

SLOW_SECONDS = 5.0
"""An import that takes longer is told of while it goes on."""

_STDOUT, _STDERR = 1, 2


@contextlib.contextmanager
def quiet_import(
    entry_point: importlib.metadata.EntryPoint, distribution: str, version: str
) -> Iterator[None]:
    """Inside, standard output is standard error, and after `SLOW_SECONDS` a line there says who."""
    message = (
        f"warning: importing plugin {entry_point.name!r} of group {entry_point.group!r} "
        f"({distribution} {version}) takes more than {SLOW_SECONDS:g} s; to go without it, set "
        f"{LEAVE_OUT_VARIABLE}={distribution}"
    )
    timer = threading.Timer(SLOW_SECONDS, lambda: print(message, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        with _stdout_to_stderr():
            yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Redirect Python's prints, and those of C code and child processes by the descriptor."""
    with contextlib.redirect_stdout(sys.stderr), contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a process may have no standard output
            _flush_stdout()
            kept = os.dup(_STDOUT)
            stack.callback(os.close, kept)
            os.dup2(_STDERR, _STDOUT)
            stack.callback(os.dup2, kept, _STDOUT)
            stack.callback(_flush_stdout)
        yield


def _flush_stdout() -> None:
    """Write out what Python and the C library hold back for the descriptor."""
    if sys.__stdout__ is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.__stdout__.flush()
    if os.name == "posix":
        import ctypes

        ctypes.CDLL(None).fflush(None)
