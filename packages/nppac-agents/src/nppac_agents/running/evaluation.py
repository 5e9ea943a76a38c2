"""Evaluation: fixed seeds, episodes in lockstep, six measures; deterministic actions in a run."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from nppac_envs.checked import make_checked
from nppac_envs.config import EnvConfig
from nppac_envs.measures import EpisodeMeasures, Measures


class Actor(Protocol):
    """Whatever acts: an agent, or a prior."""

    def act(self, states: np.ndarray, *, deterministic: bool) -> np.ndarray:
        """Raw (not clipped) actions (B, A) at states (B, S)."""
        ...


class Evaluator:
    """Plays the episodes it is told to with whatever agent it is given.

    Its environments are made once, and play that many episodes at a time.

    Evaluation draws from no generator of the learner: resets are seeded and actions deterministic.
    """

    def __init__(self, env: EnvConfig, n_envs: int) -> None:
        self.envs = [make_checked(env) for _ in range(n_envs)]
        self._references = env.reference_returns

    def evaluate(self, agent: Actor, seeds: range, *, deterministic: bool = True) -> Measures:
        """The six measures of one episode for each reset seed, of which there is at least one.

        They tell success where the info of any step does.

        Sampled actions, if not deterministic, draw from the agent's own generator.

        Raises:
            FaultyEnvironmentError: what an environment returned is not sound, or an episode goes on
                beyond the horizon.
        """
        size = len(self.envs)
        blocks = [seeds[start : start + size] for start in range(0, len(seeds), size)]
        return Measures.together([self._play(agent, block, deterministic) for block in blocks])

    def _play(self, agent: Actor, seeds: range, deterministic: bool) -> Measures:
        """Episodes in lockstep, no more than there are environments."""
        starts = zip(self.envs, seeds, strict=False)
        states = np.stack([env.reset(seed=seed)[0] for env, seed in starts])
        running = np.ones(len(seeds), dtype=bool)
        told = False
        total = EpisodeMeasures(len(seeds))
        while running.any():
            stepped = running.copy()
            rewards = np.zeros(len(seeds))
            successes = np.zeros(len(seeds), dtype=bool)
            chosen = agent.act(states[running], deterministic=deterministic)
            actions = np.clip(chosen, -1, 1)
            for index, action in zip(np.flatnonzero(running), actions, strict=True):
                outcome = self.envs[index].step(action)
                states[index], rewards[index], terminated, truncated, info = outcome
                successes[index] = info.get("success", False)
                told = told or "success" in info
                running[index] = not (terminated or truncated)
            total.update(successes, rewards, stepped)
        return total.result(tells_success=told, references=self._references)

    def close(self) -> None:
        """Close the environments."""
        for env in self.envs:
            env.close()
