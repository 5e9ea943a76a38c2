"""Errors as lines for the person at the terminal."""

from __future__ import annotations

from nppac_priors.errors import NppacError


def problem_lines(error: BaseException) -> list[str]:
    """One line per problem; an unexpected error also says how to see its traceback."""
    text = str(error)
    if isinstance(error, KeyboardInterrupt):
        return ["interrupted"]
    if isinstance(error, NppacError):
        return text.splitlines()
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return [f"{where}{error.strerror}"]
    name = type(error).__name__
    first = next(iter(text.splitlines()), "")
    return [f"unexpected {name}{': ' if first else ''}{first}; run again with --debug to see more"]
