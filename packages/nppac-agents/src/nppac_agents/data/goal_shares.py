"""Which shares of a minibatch a method gives other goals than those that were played for."""

from __future__ import annotations

from typing import NamedTuple


class GoalShares(NamedTuple):
    """Shares of a minibatch's transitions, at most 1 together; the rest keeps its goals."""

    future: float
    """Given a goal that their own episode reached with them or after them"""
    other: float
    """Given the goal of another transition of the minibatch"""
