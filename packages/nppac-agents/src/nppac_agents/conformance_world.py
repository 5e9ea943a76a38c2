"""The world of the conformance kit: a point pushed to a goal, its expert, and priors of it."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium.wrappers import TimeLimit
from nppac_envs import Demonstrations
from nppac_priors import ExactGPConfig, Prior, PriorConfig
from nppac_priors.data import demonstration_tensors, hash_data
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, Normal

from nppac_agents.spaces import Spaces

HORIZON = 20
_EPISODES = 5


_OBSERVATIONS = gym.spaces.Box(-np.inf, np.inf, (4,), np.float32)
_ACTIONS = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)


class Point(gym.Env[NDArray[Any], NDArray[Any]]):
    """A point on the plane moves by 0.2 a; reward 1 within 0.3 of the origin."""

    observation_space = _OBSERVATIONS
    action_space = _ACTIONS

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """At rest, uniform in the square [-1, 1]."""
        super().reset(seed=seed)
        self._place = self.np_random.uniform(-1.0, 1.0, 2)
        return self._seen(np.zeros(2)), {}

    def step(self, action: NDArray[Any]) -> Any:
        """One move."""
        move = 0.2 * np.clip(action, -1.0, 1.0)
        self._place = self._place + move
        return self._seen(move), float(np.linalg.norm(self._place) < 0.3), False, False, {}

    def _seen(self, move: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([self._place, move]).astype(np.float32)


def make_env() -> gym.Env[Any, Any]:
    """A point of `HORIZON` steps an episode."""
    return TimeLimit(Point(), HORIZON)


def spaces() -> Spaces:
    """Four observations, two actions."""
    return Spaces(_OBSERVATIONS, _ACTIONS)


def demonstrations() -> Demonstrations:
    """(100, 4) states and (100, 2) actions of an expert with noise, with rewards."""
    env, rng = make_env(), np.random.default_rng(0)
    states, actions, rewards, finals = [], [], [], []
    for episode in range(_EPISODES):
        state, _ = env.reset(seed=episode)
        for _ in range(HORIZON):
            action = np.clip(-2.0 * state[:2] + rng.normal(0.0, 0.1, 2), -1.0, 1.0)
            states.append(state)
            actions.append(action)
            state, reward, *_ = env.step(action)
            rewards.append(reward)
        finals.append(state)
    return Demonstrations(
        np.array(states, dtype=np.float32),
        np.array(actions, dtype=np.float32),
        np.array(finals, dtype=np.float32),
        np.full(_EPISODES, HORIZON),
        rewards=np.array(rewards),
    )


def gaussian_prior(given: Demonstrations) -> Prior:
    """A Gaussian process on the demonstrations."""
    settings = {"kernel": "matern52", "task_covariance": "diagonal", "steps": 10}
    config = ExactGPConfig.model_validate({"kind": "exact-gp", **settings})
    generator = torch.Generator().manual_seed(0)
    return config.fit(given.states, given.actions, generator=generator)


class TwoModes(PriorConfig):
    """A prior that is not Gaussian; it learns nothing from the demonstrations."""

    kind: Literal["two-modes"] = "two-modes"  # pyright: ignore[reportIncompatibleVariableOverride]

    def _fit(self, states: Any, actions: Any, **_: Any) -> TwoModesPrior:
        digest = hash_data(*demonstration_tensors(states, actions))
        return TwoModesPrior(self, state_dim=4, action_dim=2, data_hash=digest)

    def from_state(self, tensors: dict[str, Tensor], *, device: Any = "cpu") -> TwoModesPrior:
        """The one prior of this kind."""
        return TwoModesPrior(self, state_dim=4, action_dim=2)


class TwoModesPrior(Prior):
    """Modes at -0.5 and 0.5 in every dimension, with a standard deviation of 0.1, everywhere."""

    @property
    def device(self) -> torch.device:
        """The processor."""
        return torch.device("cpu")

    def state(self, *, include_factors: bool = False) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def _to(self, device: torch.device) -> TwoModesPrior:
        return self

    def _distribution(self, states: Tensor) -> Distribution:
        means = torch.tensor([-0.5, 0.5])[:, None].expand(len(states), 2, self.action_dim)
        modes = Independent(Normal(means, 0.1), 1)
        return MixtureSameFamily(Categorical(torch.ones(len(states), 2)), modes)
