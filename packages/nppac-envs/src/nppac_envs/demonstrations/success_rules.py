"""When a step of a demonstration is a success: what was recorded, or the task's own rule.

`recorded_successes` reads flags, or rewards that can only mean success and failure.
`rule_successes` applies a task's rule to the state that an action led to; it needs no record, and
can disagree with one: the rewards of AWAC's pen set were not computed from the observations stored
beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import DataError

_BINARY_REWARDS = ((0.0, 1.0), (-1.0, 0.0), (-0.1, 10.0))
"""(failure, success): zero-one, binary, and Gymnasium-Robotics' sparse reward."""


@final
@dataclass(frozen=True)
class SuccessRule:
    """A task's success as a function of the state, where observations hold enough to decide it.

    Attributes:
        state_dim: The length of the task's observations.
        action_dim: The length of its actions.
        text: The rule in words.
        holds: (N, `state_dim`) states to (N,) bool.
    """

    state_dim: int
    action_dim: int
    text: str
    holds: Callable[[NDArray[np.float32]], NDArray[np.bool_]]


def _pen_is_aligned(states: NDArray[np.float32]) -> NDArray[np.bool_]:
    near = np.linalg.norm(states[:, 39:42], axis=1) < 0.075
    return near & ((states[:, 33:36] * states[:, 36:39]).sum(axis=1) > 0.95)


SUCCESS_RULES = {
    "door": SuccessRule(39, 28, "the hinge is at 1.35 rad or more", lambda s: s[:, 28] >= 1.35),
    "pen": SuccessRule(
        45, 24, "within 0.075 m of the goal, cosine to its direction above 0.95", _pen_is_aligned
    ),
    "relocate": SuccessRule(
        39,
        30,
        "the ball is within 0.1 m of the goal",
        lambda s: np.linalg.norm(s[:, 36:39], axis=1) < 0.1,
    ),
}
"""By kind of environment. Hammer has none: where the nail has to go is not in its observations, and
the nail's joint, which is, moves on by a substep after success was decided: 9 of 5,000 steps of an
expert differ.
"""


def judges(state_dim: int, action_dim: int, task: str | None = None) -> list[str]:
    """The tasks whose rule fits states and actions of these sizes; at most `task`, if it is known.

    A task without a rule has none, whatever other task has states of its size.
    """
    return [
        name
        for name, rule in SUCCESS_RULES.items()
        if (rule.state_dim, rule.action_dim) == (state_dim, action_dim) and task in (None, name)
    ]


def recorded_successes(
    successes: NDArray[np.bool_] | None, rewards: NDArray[np.float32] | None
) -> NDArray[np.bool_] | None:
    """The recorded flags (N,), or those that rewards of two values stand for, or None.

    Rewards stand for flags if they are 0 and 1, -1 and 0, or -0.1 and 10, and are not all 0.
    """
    if successes is not None or rewards is None:
        return successes
    values = np.unique(rewards)
    if values.size > 2 or not values.any():
        return None
    for failure, success in _BINARY_REWARDS:
        if np.isin(values, np.array([failure, success], np.float32)).all():
            return rewards == np.float32(success)
    return None


def rule_successes(
    task: str | None, next_states: NDArray[np.float32], where: str
) -> NDArray[np.bool_]:
    """The success of each step by the rule of a task.

    Args:
        task: A key of `SUCCESS_RULES`.
        next_states: (N, S), the state after each step.
        where: Named in messages.

    Raises:
        DataError: There is no rule for the task, or the states are not its observations.
    """
    rule = SUCCESS_RULES.get(task or "")
    if rule is None:
        raise DataError(
            f"{where}: task {task!r} has no rule that decides success from a state; "
            f"there is one for {', '.join(map(repr, SUCCESS_RULES))}"
        )
    if next_states.shape[1] != rule.state_dim:
        raise DataError(
            f"{where}: states have {next_states.shape[1]} dimensions, "
            f"but observations of {task!r} have {rule.state_dim}"
        )
    return rule.holds(next_states)
