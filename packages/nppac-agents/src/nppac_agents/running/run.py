"""`run_experiment`: from a validated experiment to a run directory with its report."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from nppac_envs import Demonstrations
from nppac_envs.foreign.description import in_one_line
from nppac_priors import GaussianPrior, Prior
from nppac_priors.atomic_files import write_json

from nppac_agents.agent import Agent
from nppac_agents.data.rollouts import Rollouts
from nppac_agents.device import resolve_device
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.experiment.consistency import require_consistent
from nppac_agents.loggers.logger import opened
from nppac_agents.metrics_file import read_metrics
from nppac_agents.reporting.measures import told_throughout
from nppac_agents.reporting.report import write_report
from nppac_agents.running import assembly
from nppac_agents.running.checkpoint import Checkpoint, CheckpointFileError
from nppac_agents.running.console import Console
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.extension import differences, require_extensible
from nppac_agents.running.filming import choose_renderer, record_frames
from nppac_agents.running.identity import RunIdentity
from nppac_agents.running.metrics_log import Recorder
from nppac_agents.running.precision import matmul_precision
from nppac_agents.running.prior_std import prior_std_curve
from nppac_agents.running.provenance import describe_environment
from nppac_agents.running.resumption import find_resumption
from nppac_agents.running.run_directory import RunDirectory, in_words
from nppac_agents.running.same_environment import require_same_environment
from nppac_agents.running.saved_prior import saved_prior
from nppac_agents.running.seeds import Seeds
from nppac_agents.running.shared_fits import shared_fit
from nppac_agents.running.summary import outcome, summary_of
from nppac_agents.running.training import Training
from nppac_agents.spaces import Spaces
from nppac_agents.stopwatch import Stopwatch

_RESTARTED = (
    "the environment has no get_state and set_state (of a dict of arrays): its training episodes "
    "start anew, and the run goes on otherwise than without the interruption"
)


@dataclass(frozen=True)
class _Run:
    """What every part of a run is given."""

    config: ExperimentConfig
    directory: RunDirectory
    console: Console
    seeds: Seeds
    device: torch.device
    spaces: Spaces
    demonstrations: Demonstrations | None
    shared_fits: Path | None

    def build_agent(self, prior: Prior | None) -> Agent:
        """The untrained agent."""
        return assembly.build_agent(
            self.config, self.spaces, prior, self.demonstrations, self.seeds, self.device
        )


def run_experiment(
    config: ExperimentConfig,
    *,
    run_dir: RunDirectory,
    console: Console,
    dry_run: bool = False,
    resume: bool = False,
    shared_fits: Path | None = None,
) -> dict[str, Any]:
    """Run the experiment; return what `summary.json` holds.

    Args:
        config: the experiment.
        run_dir: where its files go; created by the caller.
        console: where progress goes.
        dry_run: go once through all that a run does, on as little as there is: a step, an update of
            each phase, an episode, a checkpoint and its resume, the report.
        resume: continue from the latest intact checkpoint in `run_dir`, if there is one.
        shared_fits: folder in which runs find and leave fitted priors, if they share them.

    Raises:
        ConfigError, DataError: the parts do not fit each other, or a logger lacks its library, or
            the data cannot be read, or what is to be resumed is damaged or of another run.
        NumericalError: a quantity is not finite.
        Interrupted: the run was asked to stop; its checkpoint is written.
    """
    require_consistent(config)
    choose_renderer()
    if dry_run:
        config = _shortened(config)
    with matmul_precision(config.training.matmul_precision):
        device = resolve_device(config.device)
        spaces, data = assembly.spaces_and_demonstrations(config)
        seeds = Seeds.of(config.seed)
        run = _Run(config, run_dir, console, seeds, device, spaces, data, shared_fits)
        identity, checkpoint = _origin(run, resume)
        prior, identity = _prepare(run, identity)
        agent = run.build_agent(prior)
        require_extensible(run_dir, config, agent, checkpoint)
        _trim_metrics(run_dir.metrics, checkpoint)
        with _training(run, agent, identity) as training:
            if dry_run:
                _dry_run(run, training, prior)
                return {}
            _train(run, training, checkpoint)
            summary = _summary(run, training)
        run_dir.write_summary(summary)
        report = _write_report(run, prior, agent)
    for line in (*outcome(summary), f"report: {report}"):
        console.line(line)
    return summary


def _origin(run: _Run, resume: bool) -> tuple[RunIdentity, Checkpoint | None]:
    """Whose run it is and, of one that is resumed, the checkpoint that it continues from."""
    data = run.demonstrations
    current = RunIdentity.new(run.config, None if data is None else data.hash)
    if not resume:
        return current, None
    return find_resumption(run.directory, current, run.console)


def _prepare(run: _Run, identity: RunIdentity) -> tuple[Prior | None, RunIdentity]:
    """The prior as its file has it, and the identity with its checksum, as it is written down.

    What an earlier start wrote down is replaced when its prior has been read, and not before.
    """
    environment = _describe(run)
    require_same_environment(run.directory.environment, environment.get("env"))
    shared = None
    if run.shared_fits is not None and run.config.prior is not None:
        shared = shared_fit(run.shared_fits, run.config, environment)
    if identity.prior_hash is None:
        run.directory.write_environment({**environment, **asdict(identity)})
    prior, prior_hash = saved_prior(
        run.directory.prior,
        identity.prior_hash,
        lambda: assembly.fit_prior(
            run.config, run.demonstrations, run.seeds, run.device, run.console
        ),
        device=run.device,
        console=run.console,
        shared=shared,
    )
    identity = replace(identity, prior_hash=prior_hash)
    run.directory.write_environment({**environment, **asdict(identity)})
    return prior, identity


def _describe(run: _Run) -> dict[str, Any]:
    """What the run starts from: on the console, and as `environment.json` has it."""
    data_hash = None
    if run.demonstrations is not None:
        data_hash = run.demonstrations.hash
        run.console.line(f"demonstrations: {run.demonstrations}")
    name = run.device.type
    if name == "cuda":
        name = f"cuda: {torch.cuda.get_device_name(run.device)}"
    details = None if run.config.env is None else run.config.env.details()
    if details is not None:
        run.console.line(f"environment: {in_one_line(details)}")
    return describe_environment(run.config, device=name, demonstrations_hash=data_hash, env=details)


@contextlib.contextmanager
def _training(run: _Run, agent: Agent, identity: RunIdentity) -> Iterator[Training]:
    """The learning loop with its environments and files, closed at the end whatever happens."""
    config, training = run.config, run.config.training
    with contextlib.ExitStack() as stack:
        stopwatch = Stopwatch()
        replay = agent.make_replay(training.replay_capacity, training.n_envs, run.seeds.replay)
        rollouts = evaluator = None
        if config.env is not None:
            rollouts = Rollouts(
                config.env,
                training.n_envs,
                agent,
                replay,
                seed=run.seeds.environments,
                stopwatch=stopwatch,
            )
            stack.callback(rollouts.close)
            evaluator = Evaluator(config.env, config.evaluation.episodes)
            stack.callback(evaluator.close)
        loggers = [opened(logger, run.directory.path) for logger in config.logging.all_loggers()]
        recorder = Recorder(run.directory.metrics, loggers, stopwatch)
        stack.callback(recorder.close)
        learning = Training(
            config, agent, replay, rollouts, evaluator, recorder, run.console, identity
        )
        stack.callback(learning.close)
        yield learning


def _train(run: _Run, training: Training, checkpoint: Checkpoint | None) -> None:
    """From the checkpoint, or the beginning, to the end, and the report of what was learned."""
    if checkpoint is not None:
        _continue(run, training, checkpoint)
    if run.directory.changes:
        _adopt_changes(run, training.recorder)
    training.run(run.directory.checkpoints)
    if not _events(run, "reporting"):
        training.report(run.directory.checkpoints)


def _continue(run: _Run, training: Training, checkpoint: Checkpoint) -> None:
    """Put everything where the checkpoint says, and say what that is."""
    _restore(training, checkpoint)
    checkpoint.forget_older(run.directory.checkpoints)  # a kill may have come before that
    training.selection.replay(_events(run, "evaluation"))
    run.console.line(f"continuing at {training.recorder.env_steps:,} environment steps")
    if training.rollouts is not None and not training.rollouts.can_be_saved:
        run.console.line(_RESTARTED)
    for line in differences(run.directory, run.config, checkpoint):
        run.console.line(line)


def _restore(training: Training, checkpoint: Checkpoint) -> None:
    """Put everything where the checkpoint says.

    Raises:
        CheckpointFileError: its tensors are not those of these parts, as after an update.
    """
    try:
        training.restore(checkpoint)
    except (KeyError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise CheckpointFileError(
            f"the checkpoint at update {checkpoint.position['updates']} does not fit this version "
            f"of the agent or the environment: {reason}; resume with the one that wrote it"
        ) from error


def _shortened(config: ExperimentConfig) -> ExperimentConfig:
    """The experiment with one episode of everything that is played."""
    few = {"episodes": 1, "reporting_episodes": min(1, config.evaluation.reporting_episodes)}
    little = {"frames": min(1, config.logging.frames), "tensorboard": False, "loggers": ()}
    return config.model_copy(
        update={
            "evaluation": config.evaluation.model_copy(update=few),
            "logging": config.logging.model_copy(update=little),
        }
    )


def _dry_run(run: _Run, training: Training, prior: Prior | None) -> None:
    """All that a run does: the resume is of another agent of the same configuration."""
    again = run.build_agent(prior)
    losses = training.try_out()
    values = ", ".join(f"{name} {value.item():.3g}" for name, value in losses.items())
    run.console.line(f"dry run: everything builds, and one update gives {values}")
    training.evaluate(run.directory.checkpoints)
    path = training.checkpoint().save(run.directory.checkpoints)
    with _training(run, again, training.identity) as resumed:
        _restore(resumed, Checkpoint.load(path))
        if resumed.rollouts is not None:
            resumed.rollouts.step()
            if not resumed.rollouts.can_be_saved:
                run.console.line(f"dry run: {_RESTARTED}")
    training.report(run.directory.checkpoints)
    run.directory.write_summary(_summary(run, training))
    _write_report(run, prior, training.agent)
    tried = "checkpoint, resume" if run.config.env is None else "evaluation, checkpoint, resume"
    run.console.line(f"dry run: {tried} and report work")


def _trim_metrics(path: Path, checkpoint: Checkpoint | None) -> None:
    """Drop the events after a checkpoint, before a resumed run writes them again."""
    if checkpoint is not None:
        os.truncate(path, checkpoint.metrics.size)
    else:
        path.unlink(missing_ok=True)


def _adopt_changes(run: _Run, recorder: Recorder) -> None:
    """Says what a resume changes, in the metrics from where it holds, and then in the config."""
    for change in in_words(run.directory.changes):
        run.console.line(f"{change} from here on")
    recorder.write_changes(run.directory.changes)
    run.directory.write_config(run.config)


def _summary(run: _Run, training: Training) -> dict[str, Any]:
    events = told_throughout(_events(run, "evaluation", "reporting"))
    kinds = ([e for e in events if e["event"] == kind] for kind in ("evaluation", "reporting"))
    return summary_of(run.config, training, *kinds)


def _events(run: _Run, *kinds: str) -> list[dict[str, Any]]:
    return [event for event in read_metrics(run.directory.metrics) if event["event"] in kinds]


def _write_report(run: _Run, prior: Prior | None, agent: Agent) -> Path:
    config, directory = run.config, run.directory
    if isinstance(prior, GaussianPrior) and run.demonstrations is not None:
        curve = prior_std_curve(prior, run.demonstrations.states, generator=run.seeds.report)
        write_json(directory.prior_std, curve)
    if config.logging.frames and config.env is not None:
        frames = record_frames(
            config.env,
            lambda states: agent.act(states, deterministic=True),
            seed=config.evaluation.first_seed,
            n_frames=config.logging.frames,
        )
        frames.save(directory.frames)
    return write_report(directory.path)
