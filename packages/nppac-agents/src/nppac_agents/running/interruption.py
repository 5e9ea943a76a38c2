"""Stopping on request: outside the learning loop at once, inside it at the end of the step."""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_urgent = threading.Event()


class Interrupted(Exception):
    """The run stopped on request; the message says how it goes on."""

    def __init__(
        self, message: str = "interrupted after a checkpoint; --resume continues from it"
    ) -> None:
        super().__init__(message)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While open, SIGTERM ends what is going on as Ctrl-C does: with a KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _urgent.clear()
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
        _urgent.clear()


def interrupt_at_once() -> None:
    """From any thread: a KeyboardInterrupt in the main one, also where a signal would wait."""
    _urgent.set()
    _thread.interrupt_main(signal.SIGTERM)


class Interruption:
    """While open, the first SIGINT or SIGTERM is only noted; a second one acts at once."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        _urgent.clear()
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def raise_if_requested(self) -> None:
        """Raise `Interrupted` once a signal has come."""
        if self.requested:
            raise Interrupted

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()
        if _urgent.is_set():
            raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
