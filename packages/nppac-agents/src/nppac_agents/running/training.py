"""The learning loop: an agent's phases in order, with evaluations and checkpoints on the way."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from nppac_envs.measures import Measures
from nppac_priors.errors import NumericalError
from torch import Tensor

from nppac_agents.agent import Agent
from nppac_agents.data.replay import TensorReplay
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.consistency import require_steps_to_learn
from nppac_agents.phase import Losses, Phase
from nppac_agents.reporting.intervals import episode_intervals
from nppac_agents.reporting.measures import BY_FIELD, headline
from nppac_agents.reporting.statistics import Interval
from nppac_agents.running import guard
from nppac_agents.running.best import BEST, best_checkpoint
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.checkpoint_writer import CheckpointWriter, copied
from nppac_agents.running.console import Console
from nppac_agents.running.divergence import DivergedError, outside_cause, require_finite
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.flattening import UPDATES_PER_ERROR, flattened
from nppac_agents.running.identity import RunIdentity
from nppac_agents.running.interruption import Interruption
from nppac_agents.running.metrics_log import Recorder
from nppac_agents.running.selection import Selection

RECENT_EPISODES = 20
RETURNS = {False: "rollout_return", True: "mode_return"}
"""What metrics call the mean return of episodes that samples, or the policy's mode, played"""
_UNTOLD = (
    "warning: no step told success, so that evaluation.select_by {!r} counts as 0 and, if none "
    "ever does, the last policy is kept as the best; set it to 'return_mean'"
)


class Training:
    """One run's learning, from the built agent on; without an environment nothing is evaluated.

    Raises:
        ConfigError: the agent's rollouts take all the environment steps there are.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        agent: Agent,
        replay: TensorReplay,
        rollouts: Rollouts | None,
        evaluator: Evaluator | None,
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
        self.writer = CheckpointWriter()
        self.phases = agent.phases
        self.rollout_steps = _rollout_steps(self.phases, config.training.env_steps)
        self.phase = 0
        self.phase_updates = 0
        self.errors: list[float] = []
        self.judged = False
        self.selection = Selection(config.evaluation.select_by, config.evaluation.select_over)
        self.recent = {name: deque[float](maxlen=RECENT_EPISODES) for name in RETURNS.values()}

    def run(self, checkpoint_folder: Path) -> None:
        """Learns to the end, from the beginning or from where `restore` left it.

        Raises:
            Interrupted: the user or the system asked to stop; a checkpoint has been written.
            CheckpointError: a checkpoint cannot be written; earlier ones are untouched.
            NumericalError: a loss, or anything that is learned, is not finite; what was saved
                before is kept.
        """
        try:
            self._run(checkpoint_folder)
        except NumericalError as error:
            self.close()  # what could not be written is not what ended the run
            raise NumericalError(self._explained(error, checkpoint_folder)) from error

    def close(self) -> None:
        """Return once no checkpoint is written any more, whatever ended the run."""
        error = self.writer.close()
        if error is not None:
            self.console.line(f"warning: {error}")

    def _run(self, checkpoint_folder: Path) -> None:
        while self.phase < len(self.phases):
            phase = self.phases[self.phase]
            if phase.prepares:
                self._prepare(phase)
            else:
                if not self.judged:
                    self.evaluate(checkpoint_folder)
                    self._save(checkpoint_folder)
                self._learn(phase, checkpoint_folder)
            self.phase, self.phase_updates, self.errors = self.phase + 1, 0, []
        self._wait()

    def evaluate(self, folder: Path) -> Measures | None:
        """Evaluate the current policy, record and print what came out, keep the best.

        Raises:
            DivergedError: what has been learned is not finite.
        """
        self.recorder.require_finite()
        require_finite(_named("agent", self.agent.state()), self.recorder.position)
        first, self.judged = not self.judged, True
        if self.evaluator is None:
            return None
        with self.recorder.stopwatch("evaluation"):
            measures = self.evaluator.evaluate(self.agent, self.config.evaluation.selection_seeds)
            gauges = guard.look(self.agent, self.replay)
        self.recorder.write_evaluation(measures, "evaluation", **gauges)
        means = measures.means()
        at = f"evaluation at {self.recorder.env_steps:,} steps"
        self.console.line(f"{at}: {_told(means)}")
        if first and means[self.selection.measure] is None:
            self.console.line(_UNTOLD.format(self.selection.measure))
        for warning in guard.warnings(gauges):
            self.console.line(f"warning: {warning}")
        if self.selection.prefers(means):
            with self.recorder.stopwatch("checkpoint"):
                best = self._checkpoint({"agent": copied(self.agent.state())})
                self.writer.save(best, folder / BEST, kept=1)
        return measures

    def report(self, folder: Path) -> None:
        """Judges the last policy and the best on the reporting starts, if there are any."""
        self._wait()
        seeds = self.config.evaluation.reporting_seeds
        if not seeds or self.evaluator is None:
            return
        self._report(self.evaluator, "last", seeds, self.recorder.env_steps)
        best = best_checkpoint(folder, self.identity, self.console)
        if best is None or best.position["updates"] == self.recorder.updates:
            return
        last = copied(self.agent.state())
        self.agent.load_state(best.tensors["agent"])
        self._report(self.evaluator, "best", seeds, best.position["env_steps"])
        self.agent.load_state(last)

    def _report(self, evaluator: Evaluator, policy: str, seeds: range, env_steps: int) -> None:
        with self.recorder.stopwatch("evaluation"):
            measures = evaluator.evaluate(self.agent, seeds)
        intervals = episode_intervals(measures)
        self.recorder.write_evaluation(
            measures,
            "reporting",
            policy=policy,
            of_env_steps=env_steps,
            seeds=[seeds[0], seeds[-1]],
            intervals=intervals,
        )
        self.console.line(
            f"reported, the {policy} policy ({env_steps:,} steps) on {len(seeds)} fresh starts: "
            f"{_told(measures.means(), intervals)}"
        )

    def checkpoint(self) -> Checkpoint:
        """Everything that the rest of the run depends on, as it is now."""
        tensors = {
            "agent": copied(self.agent.state()),
            "replay": self.replay.state(),
            "rollouts": {} if self.rollouts is None else copied(self.rollouts.state()),
            "recorder": copied(self.recorder.state()[0]),
        }
        return self._checkpoint(tensors)

    def _checkpoint(self, tensors: dict[str, dict[str, Tensor]]) -> Checkpoint:
        _, counters = self.recorder.state()
        return Checkpoint(
            tensors,
            {
                **counters,
                "phase": self.phase,
                "phase_updates": self.phase_updates,
                "errors": list(self.errors),
                "recent": {name: list(returns) for name, returns in self.recent.items()},
            },
            self.identity,
            self.recorder.mark(),
        )

    def _save(self, folder: Path) -> None:
        """Begin to save a checkpoint whose numbers are finite; no other takes the place of one."""
        self.recorder.require_finite()
        self._wait()  # before the copy, so that a slow disk never holds two
        with self.recorder.stopwatch("checkpoint"):
            checkpoint = self.checkpoint()
            for owner, tensors in checkpoint.tensors.items():
                require_finite(_named(owner, tensors), self.recorder.position)
            self.writer.save(checkpoint, folder)

    def _wait(self) -> None:
        """Return once all checkpoints are on the disk."""
        with self.recorder.stopwatch("checkpoint"):
            self.writer.wait()

    def _explained(self, error: NumericalError, folder: Path) -> str:
        """The error in one line, with where it began and what is left."""
        spaces = self.agent.spaces
        states = self.rollouts.states if self.rollouts else np.zeros((0, spaces.state_dim))
        returns = itertools.chain(*self.recent.values())
        cause = outside_cause(self.config, self.replay, states, returns)
        if cause is None and isinstance(error, DivergedError):
            cause = "the learning diverged; lower the learning rates"
        kept = "the last checkpoint is kept" if checkpoints(folder) else None
        return "; ".join(part for part in (str(error), cause, kept) if part)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continues from a checkpoint of the same experiment."""
        tensors, position = checkpoint.tensors, checkpoint.position
        self.agent.load_state(tensors["agent"])
        self.replay.load_state(tensors["replay"])
        if self.rollouts is not None:
            self.rollouts.load_state(tensors["rollouts"])
        self.recorder.load_state(tensors.get("recorder", {}), position)
        self.phase, self.phase_updates = position["phase"], position["phase_updates"]
        self.errors = position["errors"]
        for name, returns in position["recent"].items():
            self.recent[name].extend(returns)
        self.judged = True

    def try_out(self) -> Losses:
        """One step of every environment, one update of every phase; the losses of the last."""
        if self.rollouts is not None:
            self.rollouts.step()
        losses: Losses = {}
        for phase in self.phases:
            if phase.update is not None and (self.rollouts or not phase.interacts):
                losses = self.agent.learn(phase, self.replay)
        return losses

    # The phases.

    def _prepare(self, phase: Phase) -> None:
        """A phase that makes the starting policy: without evaluations and checkpoints."""
        updates = phase.length or 0
        every = max(self.config.logging.every, updates // 100)
        with self.console.stage(phase.name, updates) as stage:
            for update in range(1, updates + 1):
                self._update(phase)
                if update % every == 0 or update == updates:
                    stage.advance(update, **_headline(self.recorder.write_training(phase.name)))

    def _learn(self, phase: Phase, folder: Path) -> None:
        """A phase with checkpoints and, where it updates, evaluations."""
        advance = self._interact if phase.interacts else self._update_and_record
        total = phase.length or self.config.training.env_steps
        if phase.interacts and self.rollouts is None:
            total = 0
        with self.console.stage(phase.name, total) as stage, Interruption() as interruption:
            ended = self._ended(phase, total)
            while not ended:
                before = self._done(phase)
                advance(phase)
                done, ended = self._done(phase), self._ended(phase, total)
                stage.advance(done, **self._status())
                if (
                    phase.update is not None
                    and phase.evaluates
                    and (ended or _passed(before, done, self.config.evaluation.every))
                ):
                    self.evaluate(folder)
                if (
                    ended
                    or _passed(before, done, self.config.logging.checkpoint_every)
                    or interruption.requested
                ):
                    self._save(folder)
                if interruption.requested:
                    self._wait()
                interruption.raise_if_requested()

    def _done(self, phase: Phase) -> int:
        return self.recorder.env_steps if phase.interacts else self.phase_updates

    def _ended(self, phase: Phase, total: int) -> bool:
        return self._done(phase) >= total or flattened(self.errors)

    def _interact(self, phase: Phase) -> None:
        """One step of every environment, and the updates that the interaction so far has earned."""
        assert self.rollouts is not None, "checked when the agent is built"
        for episode in self.rollouts.step():
            self.recent[RETURNS[episode.of_mode]].append(episode.episode_return)
        self.recorder.env_steps += self.config.training.n_envs
        while phase.update is not None and self.phase_updates < self._updates_earned(phase):
            self._update_and_record(phase)

    def _updates_earned(self, phase: Phase) -> int:
        if phase.steps_per_update is not None:
            return self.recorder.env_steps // phase.steps_per_update
        training = self.config.training
        unpaid = max(training.start_steps, self.rollout_steps)
        earned = max(self.recorder.env_steps - unpaid, 0)
        return math.floor(earned * training.updates_per_step)

    def _update(self, phase: Phase) -> None:
        with self.recorder.stopwatch("update"):
            self.recorder.add(self.agent.learn(phase, self.replay))

    def _update_and_record(self, phase: Phase) -> None:
        self._update(phase)
        self.phase_updates += 1
        if phase.error is not None and self.phase_updates % UPDATES_PER_ERROR == 0:
            self.errors.append(phase.error(self.agent, self.replay))
        done = not phase.interacts and self.phase_updates == phase.length
        if self.phase_updates % self.config.logging.every == 0 or phase.steps_per_update or done:
            self.recorder.write_training(phase.name, **self._status())

    def _status(self) -> dict[str, float]:
        status = {name: sum(seen) / len(seen) for name, seen in self.recent.items() if seen}
        return status | ({"held_out_error": self.errors[-1]} if self.errors else {})


def _told(
    means: Mapping[str, float | None], intervals: Mapping[str, Interval | None] | None = None
) -> str:
    """Success, where it is told, and the return."""
    fields = dict.fromkeys([*(m.field for m in headline(means)), "return_mean"])
    ends = intervals or {}
    return ", ".join(f"{f} {BY_FIELD[f].shown(means[f], ends.get(f))}" for f in fields)


def _named(owner: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under full names, without an environment's own state, whose numbers are its."""
    return {f"{owner} {name}": v for name, v in tensors.items() if not name[0].isdigit()}


def _rollout_steps(phases: list[Phase], env_steps: int) -> int:
    """The environment steps of phases that only collect, which earn no updates.

    Raises:
        ConfigError: they leave none for learning.
    """
    collecting = [phase for phase in phases if phase.interacts and phase.update is None]
    steps = max((phase.length or 0 for phase in collecting), default=0)
    require_steps_to_learn(steps, env_steps)
    return steps


def _passed(before: int, now: int, every: int) -> bool:
    return now // every > before // every


def _headline(means: dict[str, float]) -> dict[str, float]:
    """The first of the means, for the progress line."""
    return dict(list(means.items())[:1])
