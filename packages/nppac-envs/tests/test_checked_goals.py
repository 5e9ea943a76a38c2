"""Goals say what the environment does, for goals that were not played for too; or one line."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict
from gymnasium.wrappers import TimeLimit
from nppac_envs import ConfigError, DoorConfig, EnvConfig, Goals, GymnasiumConfig, PushConfig
from nppac_envs.checked_goals import checked_goals
from nppac_envs.errors import FaultyEnvironmentError

PUSH_BY_ID = GymnasiumConfig(id="nppac/Push-v0", horizon=20)


class Line(gymnasium.Env[Any, Any]):
    """A place on a line and a goal; a reward of 0 ends the episode, all others are -1."""

    action_space = Box(-1.0, 1.0, (1,), np.float32)
    observation_space: Any = Dict(
        {name: Box(-9.0, 9.0, (1,)) for name in ("achieved_goal", "desired_goal", "speed")}
    )

    def __init__(self, batched: bool = True, effort: float = 0.0, goal: float = 0.5) -> None:
        self.batched, self.effort, self.goal = batched, effort, np.full(1, goal)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = np.zeros(1)
        return self._observation(0.0), {}

    def step(self, action: Any) -> Any:
        self.place = np.clip(self.place + action, -9.0, 9.0)
        reward = self.compute_reward(self.place[None], self.goal[None], {})[0]
        ended = bool(self.compute_terminated(self.place, self.goal, {}))
        reward -= self.effort * float(np.abs(action).sum())
        return self._observation(float(action[0])), float(reward), ended, False, {}

    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        return np.where(np.abs(achieved - desired).max(-1) < 0.2, 0.0, -1.0)

    def compute_terminated(self, achieved: Any, desired: Any, info: Any) -> Any:
        axis = -1 if self.batched else None
        return np.abs(achieved - desired).max(axis) < 0.2

    def _observation(self, speed: float) -> Any:
        values = {"achieved_goal": self.place, "desired_goal": self.goal, "speed": [speed]}
        return {name: np.array(value, np.float32) for name, value in values.items()}


gymnasium.register("Line-v0", entry_point=Line, max_episode_steps=30)


class StatedConfig(EnvConfig, frozen=True):
    """The line as one vector, with goals as a test states them."""

    kind: Literal["stated"] = "stated"
    horizon: int = 30
    stated: Any = None
    """A `Goals`, an error to raise, or nothing."""

    @property
    def has_success(self) -> bool:
        return False

    def goals(self) -> Goals | None:
        if isinstance(self.stated, Exception):
            raise self.stated
        return self.stated

    def make(self, *, render_mode: str | None = None) -> Any:
        return TimeLimit(gymnasium.wrappers.FlattenObservation(Line()), self.horizon)


def near(achieved: Any, desired: Any) -> Any:
    return np.abs(achieved - desired).max(-1) < 0.2


def minus_one_or_zero(achieved: Any, desired: Any) -> Any:
    return near(achieved, desired) - 1.0


def changing_the_goal(achieved: Any, desired: Any) -> Any:
    desired -= achieved
    return minus_one_or_zero(desired, 0.0)


def changing_what_is_reached(achieved: Any, desired: Any) -> Any:
    achieved -= desired
    return near(achieved, 0.0)


RIGHT = {"achieved": (0,), "desired": (1,), "rewards": minus_one_or_zero, "terminated": near}


@pytest.mark.parametrize("config", [PushConfig(horizon=20), PUSH_BY_ID], ids=["push", "by id"])
def test_what_push_says_of_other_goals_is_what_playing_for_them_earns(config):
    """The same actions for two goals, of which the second is judged from the first's states."""
    goals = checked_goals(config)
    env = config.make()
    actions = np.random.default_rng(3).uniform(-1, 1, (20, 2)).astype(np.float32)
    actions[:8] = [1.0, 0.0]  # into the puck, so that it moves
    played = []
    for goal in ([0.1, -0.1], [-0.05, 0.15]):
        env.reset(seed=0, options={"goal": goal})
        steps = [env.step(action) for action in actions]
        played.append((np.stack([s[0] for s in steps]), np.array([s[1] for s in steps])))
    (states, first), (others, second) = played
    achieved = states[:, goals.achieved]
    assert np.ptp(achieved, axis=0).max() > 0.02
    np.testing.assert_array_equal(achieved, others[:, goals.achieved])
    assert np.abs(first - second).min() > 1e-3
    said = goals.rewards(achieved, others[:, goals.desired])
    np.testing.assert_allclose(said, second, atol=1e-6)


def test_gymnasiums_goals_are_found_in_the_flat_state_with_their_ends():
    goals = checked_goals(GymnasiumConfig(id="Line-v0"))
    assert (goals.achieved, goals.desired) == ((0,), (1,))
    places, wanted = np.array([[0.5], [0.5], [0.1]]), np.array([[0.6], [0.1], [0.1]])
    np.testing.assert_array_equal(goals.rewards(places, wanted), [0.0, -1.0, 0.0])
    assert goals.terminated is not None
    np.testing.assert_array_equal(goals.terminated(places, wanted), [True, False, True])


def test_right_goals_pass():
    goals = Goals(**RIGHT)
    assert checked_goals(StatedConfig(stated=goals)) is goals


@pytest.mark.parametrize(
    "config",
    [
        DoorConfig(),
        StatedConfig(),
        GymnasiumConfig(id="Pendulum-v1"),
        GymnasiumConfig(id="Line-v0", observation_keys=("achieved_goal", "speed")),
    ],
)
def test_an_environment_without_goals_is_refused(config):
    with pytest.raises(ConfigError, match=r"states no goals that others could take the place of"):
        checked_goals(config)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"achieved": (2,)}, r"rewards say \S+ of step \d+ of an episode \(seed 0\), which had"),
        ({"rewards": lambda a, d: near(a, d) * 1.0}, "rewards say"),
        ({"terminated": lambda a, d: ~near(a, d)}, "terminated say 1.0 of step 1 .*had False"),
        ({"terminated": lambda a, d: near(a, d)[0]}, "terminated of 12 steps are a bool"),
        ({"rewards": lambda a, d: np.where(near(a, d), np.nan, -1.0)}, "rewards are nan"),
        ({"rewards": lambda a, d: a.missing}, "rewards raised AttributeError"),
        ({"rewards": changing_the_goal}, "rewards change the arrays that they are given"),
        ({"achieved": (0.0,)}, r"reached by \(0\.0,\): both have to be tuples of whole numbers"),
        ({"desired": None}, "entries None, reached by .* both have to be tuples"),
        ({"desired": [1]}, "both have to be tuples of whole numbers"),
        ({"terminated": changing_what_is_reached}, "terminated change the arrays"),
        ({"achieved": ()}, "all different"),
        ({"achieved": (0, 2)}, "all different"),
        ({"achieved": (1,)}, "all different"),
        ({"desired": (3,)}, "of its 3"),
    ],
)  # fmt: skip
def test_goals_that_are_not_so_are_told_in_one_line(change, told):
    with pytest.raises(FaultyEnvironmentError, match=told) as error:
        checked_goals(StatedConfig(stated=Goals(**RIGHT | change)))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("environment 'stated'")


def test_entries_may_be_numpys_numbers():
    stated = Goals(**RIGHT | {"achieved": tuple(np.arange(1)), "desired": (np.int64(1),)})
    assert checked_goals(StatedConfig(stated=stated)) is stated


def test_an_error_while_goals_are_stated_is_the_environments():
    with pytest.raises(FaultyEnvironmentError, match=r"goals\(\) raised ValueError: nowhere"):
        checked_goals(StatedConfig(stated=ValueError("nowhere")))


def test_goals_of_another_type_are_the_environments_fault():
    with pytest.raises(FaultyEnvironmentError, match=r"goals\(\) gave a dict, has to give a Goals"):
        checked_goals(StatedConfig(stated=RIGHT))


def test_a_reward_that_depends_on_more_than_the_goal_is_refused():
    config = GymnasiumConfig(id="Line-v0", kwargs={"effort": 0.1})
    with pytest.raises(FaultyEnvironmentError, match="what is reached and the goal alone"):
        checked_goals(config)


def test_ends_that_are_computed_for_one_step_only_are_refused():
    config = GymnasiumConfig(id="Line-v0", kwargs={"batched": False, "goal": 8.0})
    with pytest.raises(FaultyEnvironmentError, match=r"terminated say 0.0 .* and 1.0 of it alone"):
        checked_goals(config)
