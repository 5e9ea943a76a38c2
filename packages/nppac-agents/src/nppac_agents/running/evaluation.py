"""Evaluation: deterministic actions, fixed seeds, all episodes in lockstep, five measures."""

from __future__ import annotations

from typing import Any

import numpy as np
from nppac_envs.config import EnvConfig
from nppac_envs.measures import Measures, measure

from nppac_agents.acting import ActingPolicy
from nppac_agents.experiment.config import EvaluationConfig


class Evaluator:
    """Plays the same episodes with whatever policy it is given; its environments are made once.

    Evaluation draws from no generator of the learner: resets are seeded and actions deterministic.
    """

    def __init__(self, env: EnvConfig, config: EvaluationConfig) -> None:
        self.config = config
        self.envs = [env.make() for _ in range(config.episodes)]

    def evaluate(self, policy: ActingPolicy) -> Measures:
        """The five measures of each episode."""
        seeds = range(self.config.first_seed, self.config.first_seed + len(self.envs))
        states = np.stack([env.reset(seed=s)[0] for env, s in zip(self.envs, seeds, strict=True)])
        running = np.ones(len(self.envs), dtype=bool)
        rewards, successes = [], []
        lengths = np.zeros(len(self.envs), dtype=np.int64)
        while running.any():
            rewards.append(np.zeros(len(self.envs)))
            successes.append(np.zeros(len(self.envs), dtype=bool))
            actions = np.clip(policy.act(states[running], deterministic=True), -1, 1)
            for index, action in zip(np.flatnonzero(running), actions, strict=True):
                outcome: Any = self.envs[index].step(action)
                states[index], rewards[-1][index], terminated, truncated, info = outcome
                successes[-1][index] = bool(info.get("success", False))
                lengths[index] += 1
                running[index] = not (terminated or truncated)
        return measure(np.stack(successes), np.stack(rewards), lengths)

    def close(self) -> None:
        """Closes the environments."""
        for env in self.envs:
            env.close()
