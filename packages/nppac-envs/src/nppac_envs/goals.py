"""`Goals`: where a task with goals has them in its states, and how its rewards follow from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Judge = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[Any]]
"""Of what N steps reached (N, G) and should have reached (N, G), a number for each (N,)"""


@dataclass(frozen=True)
class Goals:
    """What it takes to say afterwards how a step would have done for another goal.

    Rewards, and ends that a goal brings about, have to follow from what the step reached and from
    the goal, both as its next state has them, and from nothing else.
    """

    achieved: tuple[int, ...]
    """The G entries of a state (S,) that say what is reached."""
    desired: tuple[int, ...]
    """The G entries, others than these and in the same order, that say what should be."""
    rewards: Judge
    """The rewards of steps."""
    terminated: Judge | None = None
    """Whether the task ends with a step, bools; None where that has nothing to do with the goal."""
