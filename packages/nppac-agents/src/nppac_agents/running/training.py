"""The learning loop: pre-training phases, then interaction, updates, evaluations and checkpoints."""

from __future__ import annotations

import math
from collections import deque

from nppac_envs.measures import Measures

from nppac_agents.agent import Agent, Phase
from nppac_agents.experience.replay import TensorReplay
from nppac_agents.experience.rollouts import Rollouts
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.console import Console
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.recorder import Recorder

RECENT_EPISODES = 20


class Training:
    """One run's learning, from the built agent on."""

    def __init__(
        self,
        config: ExperimentConfig,
        agent: Agent,
        replay: TensorReplay,
        rollouts: Rollouts,
        evaluator: Evaluator,
        recorder: Recorder,
        console: Console,
    ) -> None:
        self.config = config
        self.agent = agent
        self.replay = replay
        self.rollouts = rollouts
        self.evaluator = evaluator
        self.recorder = recorder
        self.console = console
        self.online_updates = 0
        self.recent: deque[float] = deque(maxlen=RECENT_EPISODES)

    def pretrain(self) -> None:
        """Every phase before the online one."""
        for phase in self.agent.phases():
            if phase.step is not None and phase.updates:
                self._run_phase(phase)

    def evaluate(self) -> Measures:
        """Evaluates the current policy, and records and prints what came out."""
        measures = self.evaluator.evaluate(self.agent.policy)
        self.recorder.write_evaluation(measures)
        means = measures.means()
        self.console.line(
            f"evaluation at {self.recorder.env_steps} steps: "
            f"success_ever {means['success_ever']:.2f}, "
            f"success_at_end {means['success_at_end']:.2f}, return {means['return_mean']:.1f}"
        )
        return measures

    def advance(self, until: int) -> None:
        """Interacts and learns until ``until`` environment steps, logging on the way."""
        training = self.config.training
        with self.console.stage("training", training.env_steps) as stage:
            while self.recorder.env_steps < until:
                episodes = self.rollouts.step()
                self.recent.extend(episode.episode_return for episode in episodes)
                self.recorder.env_steps += training.n_envs
                self._learn()
                stage.advance(self.recorder.env_steps, **self._status())

    def _learn(self) -> None:
        """The updates that the interaction so far has earned."""
        training = self.config.training
        earned = self.recorder.env_steps - training.start_steps
        due = math.floor(max(earned, 0) * training.updates_per_step)
        while self.online_updates < due:
            batch = self.replay.sample_transitions(self.agent.batch_size)
            self.recorder.add(self.agent.step(batch))
            self.online_updates += 1
            if self.online_updates % self.config.logging.every == 0:
                self.recorder.write_training("online", rollout_return=self._recent_return())

    def _run_phase(self, phase: Phase) -> None:
        assert phase.step is not None and phase.updates is not None
        every = max(self.config.logging.every, phase.updates // 100)
        with self.console.stage(phase.name, phase.updates) as stage:
            for update in range(1, phase.updates + 1):
                self.recorder.add(phase.step())
                if update % every == 0 or update == phase.updates:
                    means = self.recorder.write_training(phase.name)
                    stage.advance(update, **means)

    def _recent_return(self) -> float | None:
        return sum(self.recent) / len(self.recent) if self.recent else None

    def _status(self) -> dict[str, float]:
        recent = self._recent_return()
        return {} if recent is None else {"return": recent}
