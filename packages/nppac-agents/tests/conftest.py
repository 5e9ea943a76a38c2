"""A small world for the agents' tests: a point pushed to a goal, and demonstrations."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Literal

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.wrappers import TimeLimit
from nppac_agents.spaces import Spaces
from nppac_envs import Demonstrations, EnvConfig
from nppac_priors import ExactGPConfig

HORIZON = 20
Act = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class PointEnv(gym.Env):
    """A point on the plane moves by 0.2 a, with noise; success within 0.3 of the origin."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = self.np_random.uniform(-1.0, 1.0, 2)
        self.velocity = np.zeros(2)
        return self._observation(), {"success": False}

    def step(self, action):
        assert np.all(np.abs(action) <= 1.0), "the environment's actions are clipped"
        self.velocity = 0.2 * np.asarray(action, dtype=np.float64)
        self.position = self.position + self.velocity + self.np_random.normal(0, 0.01, 2)
        success = bool(np.linalg.norm(self.position) < 0.3)
        return self._observation(), float(success), False, False, {"success": success}

    def _observation(self):
        return np.concatenate([self.position, self.velocity]).astype(np.float32)

    def get_state(self):
        return {"position": self.position.copy(), "velocity": self.velocity.copy()}

    def set_state(self, state):
        self.position, self.velocity = state["position"].copy(), state["velocity"].copy()


class PointConfig(EnvConfig):
    """The point task."""

    kind: Literal["point"] = "point"
    horizon: int = HORIZON

    @property
    def has_success(self):
        return True

    def make(self, *, render_mode=None):
        return TimeLimit(PointEnv(), self.horizon)


def push_home(states: np.ndarray) -> np.ndarray:
    """The expert: towards the origin, no faster than the point can go."""
    return np.clip(-2.0 * states[..., :2], -1.0, 1.0)


def noisy_expert(state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The expert with action noise."""
    return push_home(state) + rng.normal(0, 0.1, 2)


def of_some_quality(state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Anything from the expert to its opposite along x, nearly the expert along y.

    At a state these actions lie on a line, where the better along x goes home the slower along y:
    they do not say what an action off the line is worth, and what goes up along it leads away.
    """
    quality = rng.uniform(-1, 1)
    return push_home(state) * [quality, 0.85 - 0.15 * quality] + rng.normal(0, 0.02, 2)


def play(env: gym.Env, episodes: int, seed: int, act: Act = noisy_expert) -> Demonstrations:
    """Demonstrations by a function of a state (4,) and the random numbers it may draw."""
    rng = np.random.default_rng(seed)
    states, actions, rewards, successes, finals = [], [], [], [], []
    for episode in range(episodes):
        state, _ = env.reset(seed=seed + episode)
        ended = False
        while not ended:
            action = np.clip(act(state, rng), -1, 1)
            states.append(state)
            actions.append(action)
            state, reward, terminated, truncated, info = env.step(action)
            rewards.append(reward)
            successes.append(info["success"])
            ended = terminated or truncated
        finals.append(state)
    lengths = np.full(episodes, len(states) // episodes)
    arrays = (np.array(column, dtype=np.float32) for column in (states, actions, finals))
    return Demonstrations(
        *arrays, lengths, rewards=np.array(rewards), successes=np.array(successes)
    )


@pytest.fixture(scope="session", autouse=True)
def heard_interrupts():
    """SIGINT as on a terminal: a process that a shell started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def point_config():
    return PointConfig()


@pytest.fixture(scope="session")
def demonstrations(point_config):
    return play(point_config.make(), episodes=5, seed=100)


@pytest.fixture(scope="session")
def expert():
    """The expert, a function of states (B, 4)."""
    return push_home


@pytest.fixture(scope="session")
def mixed_demonstrations(point_config):
    """Actions of every quality, whose mean reaches the goal only from where it is near."""
    return play(point_config.make(), episodes=40, seed=100, act=of_some_quality)


@pytest.fixture(scope="session")
def prior_config():
    return ExactGPConfig(kernel="matern52", task_covariance="diagonal", steps=30)


@pytest.fixture(scope="session")
def prior(demonstrations, prior_config):
    generator = torch.Generator().manual_seed(0)
    return prior_config.fit(demonstrations.states, demonstrations.actions, generator=generator)


@pytest.fixture(scope="session")
def spaces(point_config):
    env = point_config.make()
    return Spaces(env.observation_space, env.action_space)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)
