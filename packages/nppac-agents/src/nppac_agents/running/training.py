"""The learning loop: an agent's phases in order, with evaluations and checkpoints on the way."""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path

from nppac_envs.measures import Measures
from nppac_priors.errors import ConfigError, NumericalError
from torch import Tensor

from nppac_agents.agent import Agent
from nppac_agents.experience.replay import TensorReplay
from nppac_agents.experience.rollouts import Rollouts
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.phase import Losses, Phase
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.console import Console
from nppac_agents.running.divergence import DivergedError, outside_cause, require_finite
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.identity import RunIdentity
from nppac_agents.running.interruption import Interruption
from nppac_agents.running.recorder import Recorder

RECENT_EPISODES = 20
STAGES = {"rollouts": "rollouts", "offline": "offline", "online": "training"}
"""What the console calls a phase."""


class Training:
    """One run's learning, from the built agent on.

    Raises:
        ConfigError: the agent's rollouts take all the environment steps there are.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        agent: Agent,
        replay: TensorReplay,
        rollouts: Rollouts,
        evaluator: Evaluator,
        recorder: Recorder,
        console: Console,
        identity: RunIdentity,
    ) -> None:
        self.config = config
        self.agent = agent
        self.replay = replay
        self.rollouts = rollouts
        self.evaluator = evaluator
        self.recorder = recorder
        self.console = console
        self.identity = identity
        self.phases = agent.phases()
        self.rollout_steps = _rollout_steps(self.phases, config.training.env_steps)
        self.phase = 0
        self.phase_updates = 0
        self.judged = False
        self.recent: deque[float] = deque(maxlen=RECENT_EPISODES)

    def run(self, checkpoint_folder: Path) -> None:
        """Learns to the end, from the beginning or from where ``restore`` left it.

        Raises:
            Interrupted: the user or the system asked to stop; a checkpoint has been written.
            NumericalError: a loss, or anything that is learned, is not finite; what was saved
                before is kept.
        """
        try:
            self._run(checkpoint_folder)
        except NumericalError as error:
            raise NumericalError(self._explained(error, checkpoint_folder)) from error

    def _run(self, checkpoint_folder: Path) -> None:
        while self.phase < len(self.phases):
            phase = self.phases[self.phase]
            if phase.name == "pretrain":
                self._pretrain(phase)
            else:
                if not self.judged:
                    self.evaluate()
                    self._save(checkpoint_folder)
                self._learn(phase, checkpoint_folder)
            self.phase, self.phase_updates = self.phase + 1, 0

    def evaluate(self) -> Measures:
        """Evaluates the current policy, and records and prints what came out.

        Raises:
            DivergedError: what has been learned is not finite.
        """
        self.recorder.require_finite()
        require_finite(_named("agent", self.agent.state()), self.recorder.position)
        self.judged = True
        measures = self.evaluator.evaluate(self.agent.policy)
        self.recorder.write_evaluation(measures)
        means = measures.means()
        self.console.line(
            f"evaluation at {self.recorder.env_steps:,} steps: "
            f"success_ever {means['success_ever']:.2f}, "
            f"success_at_end {means['success_at_end']:.2f}, return {means['return_mean']:.1f}"
        )
        return measures

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
            {
                **counters,
                "phase": self.phase,
                "phase_updates": self.phase_updates,
                "recent": list(self.recent),
            },
            self.identity,
            self.recorder.mark(),
        )

    def _save(self, folder: Path) -> None:
        """Saves a checkpoint whose numbers are finite; another never takes the place of one."""
        self.recorder.require_finite()
        checkpoint = self.checkpoint()
        for owner, tensors in checkpoint.tensors.items():
            require_finite(_named(owner, tensors), self.recorder.position)
        checkpoint.save(folder)

    def _explained(self, error: NumericalError, folder: Path) -> str:
        """The error in one line, with where it began and what is left."""
        cause = outside_cause(self.config, self.replay, self.rollouts.states, self.recent)
        if cause is None and isinstance(error, DivergedError):
            cause = "the learning diverged; lower the learning rates"
        kept = "the last checkpoint is kept" if checkpoints(folder) else None
        return "; ".join(part for part in (str(error), cause, kept) if part)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continues from a checkpoint of the same experiment."""
        tensors, position = checkpoint.tensors, checkpoint.position
        self.agent.load_state(tensors["agent"])
        self.replay.load_state(tensors["replay"])
        self.rollouts.load_state(tensors["rollouts"])
        self.recorder.load_state(tensors.get("recorder", {}), position)
        self.phase, self.phase_updates = position["phase"], position["phase_updates"]
        self.recent.extend(position["recent"])
        self.judged = True

    def try_out(self) -> Losses:
        """One step of every environment, one update of every phase; the losses of the last."""
        self.rollouts.step()
        losses: Losses = {}
        for phase in self.phases:
            if phase.name != "rollouts":
                losses = phase.step() if phase.step else self._update()
        return losses

    # The phases.

    def _pretrain(self, phase: Phase) -> None:
        assert phase.step is not None
        assert phase.updates is not None
        every = max(self.config.logging.every, phase.updates // 100)
        with self.console.stage(phase.name, phase.updates) as stage:
            for update in range(1, phase.updates + 1):
                self.recorder.add(phase.step())
                if update % every == 0 or update == phase.updates:
                    stage.advance(update, **_headline(self.recorder.write_training(phase.name)))

    def _learn(self, phase: Phase, folder: Path) -> None:
        """A phase with evaluations and checkpoints; counted in updates if it is offline."""
        advance = self._learn_offline if phase.name == "offline" else self._interact
        total = phase.updates or phase.env_steps or self.config.training.env_steps
        with self.console.stage(STAGES[phase.name], total) as stage, Interruption() as interruption:
            while (before := self._done(phase)) < total:
                advance(phase)
                done = self._done(phase)
                stage.advance(done, **self._status())
                ended = done >= total
                if phase.name != "rollouts" and (
                    ended or _passed(before, done, self.config.evaluation.every)
                ):
                    self.evaluate()
                if (
                    ended
                    or _passed(before, done, self.config.logging.checkpoint_every)
                    or interruption.requested
                ):
                    self._save(folder)
                interruption.raise_if_requested()

    def _done(self, phase: Phase) -> int:
        return self.phase_updates if phase.name == "offline" else self.recorder.env_steps

    def _learn_offline(self, phase: Phase) -> None:
        self._update_and_record(phase)

    def _interact(self, phase: Phase) -> None:
        """One step of every environment, and the updates that the interaction so far has earned."""
        self.recent.extend(episode.episode_return for episode in self.rollouts.step())
        self.recorder.env_steps += self.config.training.n_envs
        if phase.name == "online":
            while self.phase_updates < self._updates_earned():
                self._update_and_record(phase)

    def _updates_earned(self) -> int:
        if self.agent.fresh_steps is not None:
            return self.recorder.env_steps // self.agent.fresh_steps
        training = self.config.training
        unpaid = max(training.start_steps, self.rollout_steps)
        earned = max(self.recorder.env_steps - unpaid, 0)
        return math.floor(earned * training.updates_per_step)

    def _update_and_record(self, phase: Phase) -> None:
        self.recorder.add(self._update())
        self.phase_updates += 1
        if self.phase_updates % self.config.logging.every == 0 or self.agent.fresh_steps:
            self.recorder.write_training(phase.name, **self._status())

    def _update(self) -> Losses:
        return self.agent.step(self.agent.minibatch(self.replay))

    def _status(self) -> dict[str, float]:
        return {"rollout_return": sum(self.recent) / len(self.recent)} if self.recent else {}


def _named(owner: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under full names, without an environment's own state, whose numbers are its."""
    return {f"{owner} {name}": v for name, v in tensors.items() if not name[0].isdigit()}


def _rollout_steps(phases: list[Phase], env_steps: int) -> int:
    """The environment steps of the rollouts phase, which earn no updates.

    Raises:
        ConfigError: they leave none for learning.
    """
    steps = sum(phase.env_steps or 0 for phase in phases if phase.name == "rollouts")
    if steps and steps >= env_steps:
        raise ConfigError(
            f"agent: its rollouts take {steps:,} environment steps, training.env_steps are "
            f"{env_steps:,} in all; raise these or shorten the rollouts"
        )
    return steps


def _passed(before: int, now: int, every: int) -> bool:
    return now // every > before // every


def _headline(means: dict[str, float]) -> dict[str, float]:
    """The first of the means, for the progress line."""
    return dict(list(means.items())[:1])
