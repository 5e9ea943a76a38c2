"""The learning loop: pre-training, then interaction, updates, evaluations, checkpoints."""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path

from nppac_envs.measures import Measures

from nppac_agents.agent import Agent, Phase
from nppac_agents.experience.replay import TensorReplay
from nppac_agents.experience.rollouts import Rollouts
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.checkpoint import Checkpoint
from nppac_agents.running.console import Console
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.interruption import Interruption
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
            f"evaluation at {self.recorder.env_steps:,} steps: "
            f"success_ever {means['success_ever']:.2f}, "
            f"success_at_end {means['success_at_end']:.2f}, return {means['return_mean']:.1f}"
        )
        return measures

    def run(self, checkpoint_folder: Path) -> None:
        """Interacts and learns to the end, evaluating and writing checkpoints on the way.

        Raises:
            Interrupted: the user or the system asked to stop; a checkpoint has been written.
            NumericalError: a loss or gradient is not finite.
        """
        total = self.config.training.env_steps
        with self.console.stage("training", total) as stage, Interruption() as interruption:
            while self.recorder.env_steps < total:
                before = self.recorder.env_steps
                self._interact_and_learn()
                stage.advance(self.recorder.env_steps, **self._status())
                ended = self.recorder.env_steps >= total
                if ended or self._passed(before, self.config.evaluation.every):
                    self.evaluate()
                if (
                    ended
                    or self._passed(before, self.config.logging.checkpoint_every)
                    or interruption.requested
                ):
                    self.checkpoint().save(checkpoint_folder)
                interruption.raise_if_requested()

    def checkpoint(self) -> Checkpoint:
        """Everything that the rest of the run depends on."""
        sums, counters = self.recorder.state()
        return Checkpoint(
            {
                "agent": self.agent.state(),
                "replay": self.replay.state(),
                "rollouts": self.rollouts.state(),
                "recorder": sums,
            },
            {**counters, "online_updates": self.online_updates, "recent": list(self.recent)},
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continues from a checkpoint of the same experiment."""
        tensors, position = checkpoint.tensors, checkpoint.position
        self.agent.load_state(tensors["agent"])
        self.replay.load_state(tensors["replay"])
        self.rollouts.load_state(tensors["rollouts"])
        self.recorder.load_state(tensors.get("recorder", {}), position)
        self.online_updates = position["online_updates"]
        self.recent.extend(position["recent"])

    def _interact_and_learn(self) -> None:
        """One step of every environment, and the updates that the interaction so far has earned."""
        training = self.config.training
        self.recent.extend(episode.episode_return for episode in self.rollouts.step())
        self.recorder.env_steps += training.n_envs
        earned = max(self.recorder.env_steps - training.start_steps, 0)
        while self.online_updates < math.floor(earned * training.updates_per_step):
            batch = self.replay.sample_transitions(self.agent.batch_size)
            self.recorder.add(self.agent.step(batch))
            self.online_updates += 1
            if self.online_updates % self.config.logging.every == 0:
                self.recorder.write_training("online", **self._status())

    def _run_phase(self, phase: Phase) -> None:
        assert phase.step is not None
        assert phase.updates is not None
        every = max(self.config.logging.every, phase.updates // 100)
        with self.console.stage(phase.name, phase.updates) as stage:
            for update in range(1, phase.updates + 1):
                self.recorder.add(phase.step())
                if update % every == 0 or update == phase.updates:
                    means = self.recorder.write_training(phase.name)
                    stage.advance(update, kl=means.get("kl", math.nan))

    def _passed(self, before: int, every: int) -> bool:
        return self.recorder.env_steps // every > before // every

    def _status(self) -> dict[str, float]:
        return {"rollout_return": sum(self.recent) / len(self.recent)} if self.recent else {}
