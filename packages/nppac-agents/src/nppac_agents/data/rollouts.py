"""Interaction: training environments in step, each transition stored with its prior."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from nppac_envs.checked import make_checked
from nppac_envs.config import EnvConfig
from nppac_envs.simulation_state import get_env_state, set_env_state
from nppac_priors.errors import NumericalError
from torch import Tensor

from nppac_agents.agent import Agent
from nppac_agents.data.replay import TensorReplay
from nppac_agents.parts.tensors import below


class Step(NamedTuple):
    """One step of E environments, as the replay stores it."""

    obs: np.ndarray
    act: np.ndarray
    rew: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    obs_next: np.ndarray


class Episode(NamedTuple):
    """A finished training episode."""

    episode_return: float
    length: int


class Rollouts:
    """Steps the environments with the sampling agent and fills the replay.

    An environment whose episode ends is reset within the same step, so that each step observes the
    last states of the ended episodes and the first states of the new ones together: the prior is
    evaluated on all of them in one batch, which the replay and the next action find in memory.
    """

    def __init__(
        self, env: EnvConfig, n_envs: int, agent: Agent, replay: TensorReplay, *, seed: int
    ) -> None:
        self.envs = SyncVectorEnv(
            [partial(make_checked, env)] * n_envs, autoreset_mode=AutoresetMode.SAME_STEP
        )
        self.agent = agent
        self.replay = replay
        self.states, _ = self.envs.reset(seed=seed)

    def step(self) -> list[Episode]:
        """One step of every environment; returns the episodes that ended.

        Raises:
            NumericalError: an action is not finite.
            FaultyEnvironmentError: what an environment returned is not sound.
        """
        states = self.states
        actions = self.agent.act(states, deterministic=False)
        if not np.isfinite(actions).all():
            raise NumericalError("the policy's action is not finite; the networks have diverged")
        observed, rewards, terminated, truncated, info = self.envs.step(np.clip(actions, -1, 1))
        ended = terminated | truncated
        next_states = observed.copy()
        if ended.any():
            next_states[ended] = np.stack(info["final_obs"][ended])
        if self.agent.observed is not None:
            self.agent.observed.moments(np.concatenate([next_states, observed[ended]]))
        _, returns, lengths, _ = self.replay.add(
            Step(states, actions, rewards, terminated, truncated, next_states)
        )
        self.states = observed
        return [Episode(float(returns[i]), int(lengths[i])) for i in np.flatnonzero(ended)]

    def state(self) -> dict[str, Tensor]:
        """Where every environment is, its last observation and the prior's moments there.

        Raises:
            ConfigError: an environment cannot tell its state.
        """
        state = {"states": torch.from_numpy(self.states.copy())}
        for index, env in enumerate(self.envs.envs):
            arrays = get_env_state(env)
            state |= {f"{index}.{name}": torch.from_numpy(v) for name, v in arrays.items()}
        if self.agent.observed is not None:
            memory = self.agent.observed.state(self.states)
            state |= {f"observed.{name}": value for name, value in memory.items()}
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Puts every environment back to where ``state()`` found it."""
        self.states = state["states"].numpy().copy()
        for index, env in enumerate(self.envs.envs):
            arrays = {name: value.numpy() for name, value in below(state, f"{index}.").items()}
            set_env_state(env, arrays)
        if self.agent.observed is not None:
            self.agent.observed.load_state(below(state, "observed."))

    def close(self) -> None:
        """Closes the environments."""
        self.envs.close()
