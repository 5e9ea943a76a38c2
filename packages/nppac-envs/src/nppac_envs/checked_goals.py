"""`checked_goals`: the goals that an environment states, held to an episode played in it."""

from __future__ import annotations

import contextlib
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nppac_envs.checked import make_checked
from nppac_envs.config import EnvConfig
from nppac_envs.errors import ConfigError, EnvsError
from nppac_envs.faults import described, fault, in_one_line, let_interruption_pass
from nppac_envs.goals import Goals, Judge

_STEPS = 50
"""Steps of the episode at most"""
_PRECISION = 1e-4
"""Of rewards: states are float32, and an environment may compute with more digits"""


class _Played(NamedTuple):
    """Steps of an episode; states (N, S) are those that they led to."""

    states: NDArray[np.float32]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]


def checked_goals(config: EnvConfig) -> Goals:
    """Where an environment has its goals, and how rewards follow from them.

    An episode of random actions has to have the rewards and ends that the goals say, and these have
    to say the same of many steps at once as of one by one, for other goals too.

    Raises:
        ConfigError: It states no goals.
        FaultyEnvironmentError: What it states is not so, with the step; or it raised an error.
    """
    goals = _stated(config)
    if goals is None:
        raise ConfigError(
            f"env: {config.shown_as} states no goals that others could take the place of: no "
            "EnvConfig.goals() or, for kind 'gymnasium', no achieved_goal and desired_goal in its "
            "state or no compute_reward"
        )
    played = _play(config)
    _require_entries(config, goals, played.states.shape[1])
    _require_equal(config, goals, played, "rewards", goals.rewards, played.rewards)
    if goals.terminated is not None:
        _require_equal(config, goals, played, "terminated", goals.terminated, played.terminated)
    return goals


def _stated(config: EnvConfig) -> Goals | None:
    try:
        stated: Any = config.goals()
    except EnvsError:
        raise
    except (Exception, SystemExit) as error:
        let_interruption_pass(error)
        raise fault(config, f"goals() raised {in_one_line(error)}") from error
    if stated is None or isinstance(stated, Goals):
        return stated
    raise fault(config, f"goals() gave {described(stated)}, has to give a Goals or None")


def _play(config: EnvConfig) -> _Played:
    """The beginning of an episode of random actions, or all of it."""
    steps: list[tuple[Any, ...]] = []
    with contextlib.closing(make_checked(config)) as env:
        env.reset(seed=0)
        shape = (_STEPS, *(env.action_space.shape or ()))
        for action in np.random.default_rng(0).uniform(-1.0, 1.0, shape):
            state, reward, terminated, truncated, _ = env.step(action.astype(np.float32))
            steps.append((state.astype(np.float32), reward, terminated))
            if terminated or truncated:
                break
    return _Played(*(np.array(column) for column in zip(*steps, strict=True)))


def _require_entries(config: EnvConfig, goals: Goals, state_dim: int) -> None:
    stated: Any = (goals.achieved, goals.desired)
    for entries in stated:
        if not isinstance(entries, tuple) or not all(
            isinstance(entry, Integral) for entry in entries
        ):
            raise fault(
                config,
                f"its goals are entries {goals.desired}, reached by {goals.achieved}: both have to "
                "be tuples of whole numbers",
            )
    every = [*goals.achieved, *goals.desired]
    if (
        not goals.achieved
        or len(goals.achieved) != len(goals.desired)
        or len(set(every)) != len(every)
        or not all(0 <= entry < state_dim for entry in every)
    ):
        raise fault(
            config,
            f"its goals are entries {goals.desired}, reached by {goals.achieved}: they have to be "
            f"as many, all different, and of its {state_dim}",
        )


def _require_equal(
    config: EnvConfig, goals: Goals, played: _Played, name: str, judge: Judge, seen: NDArray[Any]
) -> None:
    """What goals say of the steps that were played is what happened, one by one and all at once."""
    achieved = played.states[:, goals.achieved]
    desired = played.states[:, goals.desired]
    said = _judged(config, name, judge, achieved, desired)
    wrong = ~np.isclose(said, seen, rtol=_PRECISION, atol=_PRECISION * np.abs(seen).max())
    if wrong.any():
        step = int(np.argmax(wrong))
        raise fault(
            config,
            f"its goals' {name} say {said[step]} of step {step + 1} of an episode (seed 0), which "
            f"had {seen[step]}: they have to follow from what is reached and the goal alone",
        )
    others = np.concatenate([achieved, achieved[::-1]])
    achieved = np.concatenate([achieved, achieved])
    at_once = _judged(config, name, judge, achieved, others)
    for row, together in enumerate(at_once):
        alone = _judged(config, name, judge, achieved[row : row + 1], others[row : row + 1])[0]
        if not np.isclose(alone, together, rtol=_PRECISION, atol=_PRECISION):
            raise fault(
                config,
                f"its goals' {name} say {together} of a step among others and {alone} of it alone; "
                "they have to be computed for many steps at once",
            )


def _judged(
    config: EnvConfig, name: str, judge: Judge, achieved: NDArray[Any], desired: NDArray[Any]
) -> NDArray[np.float64]:
    given = achieved.copy(), desired.copy()
    try:
        said: Any = judge(*given)
    except (Exception, SystemExit) as error:
        let_interruption_pass(error)
        raise fault(config, f"its goals' {name} raised {in_one_line(error)}") from error
    if not (np.array_equal(given[0], achieved) and np.array_equal(given[1], desired)):
        raise fault(
            config, f"its goals' {name} change the arrays that they are given; work on copies"
        )
    shape = (len(achieved),)
    if not isinstance(said, np.ndarray) or said.shape != shape or said.dtype.kind not in "fiub":
        raise fault(
            config,
            f"its goals' {name} of {len(achieved)} steps are {described(said)}, have to be numbers "
            f"of shape {shape}",
        )
    values = said.astype(np.float64)
    if not np.isfinite(values).all():
        raise fault(config, f"its goals' {name} are {values[~np.isfinite(values)][0]}")
    return values
