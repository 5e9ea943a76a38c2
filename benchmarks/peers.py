"""SAC of Stable-Baselines3 (PyTorch) and of SBX (JAX), for `update.py`, where they are installed.

Both with two critics, automatic temperature and the networks of the setting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from learners import ENVS, Setting, Update, steps
from nppac_agents.spaces import Spaces

UPDATES_PER_CALL = 8
"""Of SBX, which compiles a loop over the updates of one call."""


class NoEnvironment(gym.Env[Any, Any]):
    """Spaces alone; nobody steps it."""

    def __init__(self, spaces: Spaces) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, spaces.observation.shape)
        self.action_space = gym.spaces.Box(-1.0, 1.0, spaces.action.shape)


def sb3_sac(setting: Setting) -> Update:
    """One update of Stable-Baselines3's SAC."""
    from stable_baselines3 import SAC

    return _update(SAC, setting, 1)


def sbx_sac(setting: Setting) -> Update:
    """Eight updates of SBX's SAC."""
    from sbx import SAC

    return _update(SAC, setting, UPDATES_PER_CALL)


def _update(algorithm: Callable[..., Any], setting: Setting, updates: int) -> Update:
    from stable_baselines3.common.logger import configure
    from stable_baselines3.common.vec_env import DummyVecEnv

    environments = DummyVecEnv([lambda: NoEnvironment(setting.spaces)] * ENVS)
    widths = {"pi": [setting.width] * setting.depth, "qf": [setting.width] * 2}
    model = algorithm(
        "MlpPolicy",
        environments,
        buffer_size=setting.rows,
        batch_size=setting.batch,
        policy_kwargs={"net_arch": widths},
        device="cpu",
        seed=0,
    )
    model.set_logger(configure(None, []))
    for step in steps(setting):
        done = step.terminated | step.truncated
        model.replay_buffer.add(step.obs, step.obs_next, step.act, step.rew, done, [{}] * ENVS)
    return lambda: model.train(gradient_steps=updates, batch_size=setting.batch)
