from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from nppac_envs import ConfigError, EnvConfig
from nppac_envs.demonstrations.policies import find_policy
from nppac_envs.demonstrations.recording import few_successes, record


class Walk(gymnasium.Env):
    """The state is the sum of actions; success is a place above 1; ends at `stop` or below -2."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, stop: int, has_success: bool) -> None:
        self.stop, self.has_success = stop, has_success

    def reset(self, *, seed: int | None = None, options: Any = None):
        super().reset(seed=seed)
        self.place, self.steps = self.np_random.uniform(-0.1, 0.1), 0
        return np.array([self.place], np.float32), {}

    def step(self, action: np.ndarray):
        self.place += float(action[0])
        self.steps += 1
        info = {"success": self.place > 1.0} if self.has_success else {}
        over = self.steps == self.stop
        return np.array([self.place], np.float32), self.place, self.place < -2, over, info


class WalkConfig(EnvConfig, frozen=True):
    kind: Literal["walk"] = "walk"
    horizon: int = 4
    known: bool = True

    @property
    def has_success(self) -> bool:
        return self.known

    def make(self, *, render_mode: str | None = None) -> Any:
        return Walk(self.horizon, self.known)


def test_what_is_recorded_is_what_happened():
    recorded, played = record(WalkConfig(), lambda state: [0.5], 3, first_seed=7)
    assert (recorded.n_episodes, played, len(recorded)) == (3, 3, 12)
    env = WalkConfig().make()
    for episode in range(3):
        state, _ = env.reset(seed=7 + episode)
        for step in range(4):
            row = 4 * episode + step
            np.testing.assert_array_equal(recorded.states[row], state)
            state, reward, _, _, info = env.step(recorded.actions[row])
            assert recorded.rewards[row] == np.float32(reward)
            assert recorded.successes[row] == info["success"]
        np.testing.assert_array_equal(recorded.final_states[episode], state)
    assert recorded.terminations is None


def test_a_terminal_end_is_kept_apart_from_a_truncation():
    recorded, _ = record(WalkConfig(), lambda state: [-1.0], 1)
    assert recorded.terminations.tolist() == [True]
    assert recorded.episode_lengths[0] < 4


def test_actions_are_clipped_as_the_environment_sees_them():
    recorded, _ = record(WalkConfig(horizon=1), lambda state: np.array([7.0]), 1)
    assert recorded.actions.tolist() == [[1.0]]
    assert recorded.final_states[0, 0] == pytest.approx(1.0, abs=0.1)


class Alternates:
    """Goes up in every second episode, and back at the last step of every fourth."""

    def __init__(self) -> None:
        self.episode = -1

    def reset(self) -> None:
        self.episode += 1
        self.step = 0

    def __call__(self, state: np.ndarray) -> list[float]:
        self.step += 1
        if self.episode % 2:
            return [-1.0] if self.episode % 4 == 3 and self.step == 4 else [0.55]
        return [0.0]


@pytest.mark.parametrize(("keep", "played"), [("all", 3), ("ever", 6), ("at-end", 10)])
def test_only_the_episodes_asked_for_are_kept(keep, played: int):
    seen = []
    recorded, count = record(
        WalkConfig(), Alternates(), 3, keep=keep, on_episode=lambda *numbers: seen.append(numbers)
    )
    assert count == played
    assert seen[-1] == (3, played)
    ends = np.cumsum(recorded.episode_lengths) - 1
    if keep == "at-end":
        assert recorded.successes[ends].all()


@pytest.mark.parametrize(
    ("config", "policy", "settings", "message"),
    [
        (WalkConfig(), lambda s: [0.0], {"keep": "ever"}, "only 0 of 20 episodes succeeded"),
        (WalkConfig(known=False), lambda s: [0.0], {"keep": "ever"}, "knows no success"),
        (WalkConfig(), lambda s: [0.0, 1.0], {}, r"shape \(2,\); it must be finite and \(1,\)"),
        (WalkConfig(), lambda s: [np.nan], {}, "must be finite"),
        (WalkConfig(), lambda s: "up", {}, "returned str, not numbers"),
    ],
)
def test_what_cannot_be_recorded_is_one_line(config, policy, settings, message: str):
    with pytest.raises(ConfigError, match=message) as caught:
        record(config, policy, 2, **settings)
    assert "\n" not in str(caught.value)


def test_without_success_nothing_is_said_of_it():
    recorded, _ = record(WalkConfig(known=False), lambda state: [0.5], 1)
    assert recorded.successes is None


@pytest.mark.parametrize(("episodes", "steps", "kept"), [(1, 9, 3), (1, 8, 2), (3, 5, 3)])
def test_steps_are_recorded_in_whole_episodes(episodes: int, steps: int, kept: int):
    def still(state):
        return np.zeros(1)

    recorded, played = record(WalkConfig(), still, episodes, n_steps=steps)
    assert recorded.episode_lengths.tolist() == [4] * kept
    assert played == kept


def test_random_processes():
    state = np.zeros(1, np.float32)
    for name in ("uniform", "ornstein-uhlenbeck"):
        first, again, other = (find_policy(name, 3, seed) for seed in (0, 0, 1))
        draws = [np.array([policy(state) for _ in range(500)]) for policy in (first, again, other)]
        np.testing.assert_array_equal(draws[0], draws[1])
        assert not np.array_equal(draws[0], draws[2])
        assert draws[0].shape == (500, 3)
        assert np.abs(draws[0]).max() <= 1.0


def test_functions_by_name(tmp_path):
    (tmp_path / "mine.py").write_text("def act(state):\n    return [0.25]\nnumber = 3\n")
    file = tmp_path / "mine.py"
    assert find_policy(f"{file}:act", 1, 0)(np.zeros(1)) == [0.25]
    (tmp_path / "broken.py").write_text("1 / 0")
    for name, message in (
        (f"{file}:number", "has no function 'number'"),
        (f"{file}:none", "has no function 'none'"),
        (f"{tmp_path / 'broken.py'}:act", "fails to load .ZeroDivisionError"),
        (f"{tmp_path / 'none.py'}:act", "no such file"),
        ("no_such_module:act", "fails to load"),
        ("normal", "policy 'normal' is unknown; it must be 'uniform'"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            find_policy(name, 1, 0)
        assert "\n" not in str(caught.value)


def test_few_successes_are_told_of_with_their_share():
    assert few_successes(5, 10) is None
    assert "only 20% of the episodes succeeded" in str(few_successes(2, 10))
