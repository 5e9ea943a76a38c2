"""How a fit shows its progress: one line that moves on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from nppac_priors.progress import Progress

_TERMINAL_INTERVAL, _LOG_INTERVAL = 0.1, 10.0


class ProgressLine:
    """A progress callback that writes to a stream; a context that leaves the terminal tidy."""

    def __init__(self, name: str, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        """Write about the fit `name` to `stream`, standard error unless given."""
        self._name = name
        self._detail = ""
        self._quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._moves = self._stream.isatty()
        self._shown = time.monotonic()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._moves and not self._quiet:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def about(self, detail: str) -> ProgressLine:
        """The same line, from now on about a part of the work."""
        self._detail = f", {detail}"
        return self

    def __call__(self, progress: Progress) -> None:
        """Show a report, unless the last one is recent."""
        now = time.monotonic()
        interval = _TERMINAL_INTERVAL if self._moves else _LOG_INTERVAL
        if self._quiet or now - self._shown < interval:
            return
        self._shown = now
        values = "  ".join(f"{key.replace('_', ' ')} {v:.4g}" for key, v in progress.values.items())
        steps = f"{progress.stage} {progress.done:,}/{progress.total:,}"
        text = f"{self._name}{self._detail}: {steps}  {values}"
        self._stream.write(f"\r\x1b[K{text[:100]}" if self._moves else f"{text.rstrip()}\n")
        self._stream.flush()
