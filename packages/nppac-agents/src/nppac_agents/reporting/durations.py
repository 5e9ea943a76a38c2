"""Seconds as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """`0:07`, `12:30` or `1:02:03`."""
    minutes, seconds = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
