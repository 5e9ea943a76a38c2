"""Evaluation: deterministic actions, fixed seeds, all episodes in lockstep, five measures."""

from __future__ import annotations

import numpy as np
from nppac_envs.checked import make_checked
from nppac_envs.config import EnvConfig
from nppac_envs.measures import EpisodeMeasures, Measures

from nppac_agents.acting import ActingPolicy
from nppac_agents.experiment.config import EvaluationConfig


class Evaluator:
    """Plays the same episodes with whatever policy it is given; its environments are made once.

    Evaluation draws from no generator of the learner: resets are seeded and actions deterministic.
    """

    def __init__(self, env: EnvConfig, config: EvaluationConfig) -> None:
        self.config = config
        self.envs = [make_checked(env) for _ in range(config.episodes)]

    def evaluate(self, policy: ActingPolicy) -> Measures:
        """The five measures of each episode.

        Raises:
            FaultyEnvironmentError: what an environment returned is not sound, or an episode goes on
                beyond the horizon.
        """
        seeds = range(self.config.first_seed, self.config.first_seed + len(self.envs))
        states = np.stack([env.reset(seed=s)[0] for env, s in zip(self.envs, seeds, strict=True)])
        running = np.ones(len(self.envs), dtype=bool)
        total = EpisodeMeasures(len(self.envs))
        while running.any():
            stepped = running.copy()
            rewards = np.zeros(len(self.envs))
            successes = np.zeros(len(self.envs), dtype=bool)
            actions = np.clip(policy.act(states[running], deterministic=True), -1, 1)
            for index, action in zip(np.flatnonzero(running), actions, strict=True):
                outcome = self.envs[index].step(action)
                states[index], rewards[index], terminated, truncated, info = outcome
                successes[index] = info.get("success", False)
                running[index] = not (terminated or truncated)
            total.update(successes, rewards, stepped)
        return total.result()

    def close(self) -> None:
        """Closes the environments."""
        for env in self.envs:
            env.close()
