"""Evaluation: deterministic actions, fixed seeds, all episodes in lockstep, five measures."""

from __future__ import annotations

from typing import Any

import numpy as np
from nppac_envs.config import EnvConfig
from nppac_envs.measures import EpisodeMeasures, Measures

from nppac_agents.agent import Agent
from nppac_agents.experiment.config import EvaluationConfig


class Evaluator:
    """Plays the same episodes with whatever agent it is given; its environments are made once.

    Evaluation draws from no generator of the learner: resets are seeded and actions deterministic.
    """

    def __init__(self, env: EnvConfig, config: EvaluationConfig) -> None:
        self.config = config
        self.envs = [env.make() for _ in range(config.episodes)]

    def evaluate(self, agent: Agent) -> Measures:
        """The five measures of each episode."""
        seeds = range(self.config.first_seed, self.config.first_seed + len(self.envs))
        states = np.stack([env.reset(seed=s)[0] for env, s in zip(self.envs, seeds, strict=True)])
        running = np.ones(len(self.envs), dtype=bool)
        total = EpisodeMeasures(len(self.envs))
        while running.any():
            stepped = running.copy()
            rewards = np.zeros(len(self.envs))
            successes = np.zeros(len(self.envs), dtype=bool)
            actions = np.clip(agent.act(states[running], deterministic=True), -1, 1)
            for index, action in zip(np.flatnonzero(running), actions, strict=True):
                outcome: Any = self.envs[index].step(action)
                states[index], rewards[index], terminated, truncated, info = outcome
                successes[index] = bool(info.get("success", False))
                running[index] = not (terminated or truncated)
            total.update(successes, rewards, stepped)
        return total.result()

    def close(self) -> None:
        """Closes the environments."""
        for env in self.envs:
            env.close()
