"""What `nppac-demos` returns to the shell."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `nppac-demos`; scripts may rely on them."""

    DONE = 0
    """The command did what it was asked to."""
    FAILED = 1
    """`doctor` found an error, an environment is faulty, or an unexpected fault."""
    INVALID = 2
    """The command line or the data is invalid."""
    INTERRUPTED = 130
    """Interrupted from the keyboard."""
