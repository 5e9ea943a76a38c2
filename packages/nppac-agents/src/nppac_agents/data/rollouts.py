"""Interaction: training environments in step, each transition stored with its prior."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from nppac_envs.checked import make_checked
from nppac_envs.config import EnvConfig
from nppac_envs.simulation_state import get_env_state, has_state, set_env_state
from nppac_priors.errors import NumericalError
from torch import Tensor

from nppac_agents.agent import Agent
from nppac_agents.data.replay import TensorReplay
from nppac_agents.parts.tensors import below
from nppac_agents.stopwatch import Stopwatch


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
    of_mode: bool
    """Whether the policy's mode played it, in place of samples"""


class Rollouts:
    """Steps the environments with the exploring agent and fills the replay.

    An environment whose episode ends is reset within the same step, so that each step observes the
    last states of the ended episodes and the first states of the new ones together: the prior is
    evaluated on all of them in one batch, which the replay and the next action find in memory.

    Where the method staggers resets, the first episodes of E environments are cut after 1/E, 2/E,
    ... of the horizon, as a time limit cuts them: episodes that are as long as the horizon would
    else begin and end together throughout, and their rewards come in waves.
    """

    def __init__(
        self,
        env: EnvConfig,
        n_envs: int,
        agent: Agent,
        replay: TensorReplay,
        *,
        seed: int,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self.envs = SyncVectorEnv(
            [partial(make_checked, env)] * n_envs, autoreset_mode=AutoresetMode.SAME_STEP
        )
        self.agent = agent
        self.replay = replay
        self.seed = seed
        self.stopwatch = stopwatch or Stopwatch()
        self.states, _ = self.envs.reset(seed=seed)
        self.episodes = 0
        self.modes = np.zeros(n_envs, dtype=bool)
        self._start(np.arange(n_envs))
        self.until_cut = np.zeros(n_envs, dtype=np.int64)
        if agent.method.staggers_resets() and env.horizon is not None:
            self.until_cut[:-1] = env.horizon * np.arange(1, n_envs) // n_envs
        self.can_be_saved = all(has_state(env) for env in self.envs.envs)

    def step(self) -> list[Episode]:
        """One step of every environment; returns the episodes that ended.

        Raises:
            NumericalError: an action is not finite.
            FaultyEnvironmentError: what an environment returned is not sound.
        """
        states = self.states
        with self.stopwatch("acting"):
            actions = self.agent.explore(states, self.modes)
        if not np.isfinite(actions).all():
            raise NumericalError("the policy's action is not finite; the networks have diverged")
        with self.stopwatch("environment"):
            outcome = self.envs.step(np.clip(actions, -1, 1))
        observed, rewards, terminated, truncated, info = outcome
        ended = terminated | truncated
        next_states = observed.copy()
        if ended.any():
            next_states[ended] = np.stack(info["final_obs"][ended])
        if self.agent.observed is not None:
            with self.stopwatch("prior"):
                self.agent.observed.moments(np.concatenate([next_states, observed[ended]]))
        _, returns, lengths, _ = self.replay.add(
            Step(states, actions, rewards, terminated, truncated, next_states)
        )
        self.states = observed
        last = np.flatnonzero(ended)
        episodes = [Episode(float(returns[i]), int(lengths[i]), bool(self.modes[i])) for i in last]
        self._start(last)
        self._stagger(ended)
        return episodes

    def _stagger(self, ended: np.ndarray) -> None:
        """Cut the first episodes whose time it is, unless they ended by themselves."""
        self.until_cut[ended] = 0
        cut = self.until_cut == 1
        self.until_cut = np.maximum(self.until_cut - 1, 0)
        if not cut.any():
            return
        self.replay.cut_episodes(np.flatnonzero(cut))
        self.states, _ = self.envs.reset(options={"reset_mask": cut})
        self._start(np.flatnonzero(cut))

    def _start(self, envs: np.ndarray) -> None:
        """Episodes begin in the environments `envs` (indices)."""
        for env in envs:
            self.modes[env] = self.agent.method.plays_mode(self.episodes)
            self.episodes += 1

    def state(self) -> dict[str, Tensor]:
        """Where every environment is, its last observation and the prior's moments there.

        Environments that cannot tell where they are are left out.
        """
        state = {
            "states": torch.from_numpy(self.states.copy()),
            "modes": torch.from_numpy(self.modes.copy()),
            "episodes": torch.tensor(self.episodes),
            "until_cut": torch.from_numpy(self.until_cut.copy()),
        }
        for index, env in enumerate(self.envs.envs if self.can_be_saved else ()):
            arrays = get_env_state(env)
            state |= {f"{index}.{name}": torch.from_numpy(v) for name, v in arrays.items()}
        if self.agent.observed is not None:
            memory = self.agent.observed.state(self.states)
            state |= {f"observed.{name}": value for name, value in memory.items()}
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Put every environment back to where `state()` found it.

        Those that cannot be put there are reset, and the episodes in which the replay left them
        count as cut; load its state first. Their seeds follow from the run's and from the states
        that they were in, so that two resumes of one checkpoint go on alike.
        """
        self.states = state["states"].numpy().copy()
        self.modes = state["modes"].numpy().copy()
        self.episodes = int(state["episodes"])
        self.until_cut = state["until_cut"].numpy().copy()
        if not self.can_be_saved:
            self._restart()
        for index, env in enumerate(self.envs.envs if self.can_be_saved else ()):
            arrays = {name: value.numpy() for name, value in below(state, f"{index}.").items()}
            set_env_state(env, arrays)
        if self.agent.observed is not None:
            self.agent.observed.load_state(below(state, "observed."))

    def _restart(self) -> None:
        words = np.frombuffer(self.states.astype(np.float32).tobytes(), np.uint32)
        seeds = np.random.SeedSequence([self.seed, *words.tolist()])
        first = int(seeds.generate_state(1)[0]) // 2
        self.states, _ = self.envs.reset(seed=first)
        self.replay.cut_episodes(np.arange(len(self.envs.envs)))
        self._start(np.arange(len(self.envs.envs)))

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()
