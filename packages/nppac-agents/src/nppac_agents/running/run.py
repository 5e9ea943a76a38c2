"""``run_experiment``: from a validated experiment to a run directory with its report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from nppac_envs import Demonstrations
from nppac_priors import GaussianPrior, Prior, load_prior
from nppac_priors.atomic_files import write_json

from nppac_agents.agent import Agent
from nppac_agents.experience.rollouts import Rollouts
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.reporting.frames import choose_renderer, record_frames
from nppac_agents.reporting.measures import MEASURES
from nppac_agents.reporting.prior_std import prior_std_curve
from nppac_agents.reporting.report import write_report
from nppac_agents.running import assembly
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.console import Console
from nppac_agents.running.environment import describe_environment
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.metrics import read_metrics, truncate_metrics
from nppac_agents.running.recorder import Recorder
from nppac_agents.running.run_directory import RunDirectory, config_hash, in_words
from nppac_agents.running.seeds import Seeds
from nppac_agents.running.training import Training


@dataclass(frozen=True)
class _Run:
    """What every part of a run is given."""

    config: ExperimentConfig
    directory: RunDirectory
    console: Console
    seeds: Seeds
    device: torch.device
    demonstrations: Demonstrations | None


def run_experiment(
    config: ExperimentConfig,
    *,
    run_dir: RunDirectory,
    console: Console,
    dry_run: bool = False,
    resume: bool = False,
) -> dict[str, Any]:
    """Runs the experiment; returns what ``summary.json`` holds.

    Args:
        config: the experiment.
        run_dir: where its files go; created by the caller.
        console: where progress goes.
        dry_run: build everything, take a few steps and make one update, then stop.
        resume: continue from the latest checkpoint in ``run_dir``, if there is one.

    Raises:
        ConfigError, DataError: the parts do not fit each other, or the data cannot be read.
        NumericalError: a quantity is not finite.
        Interrupted: the run was asked to stop; its checkpoint is written.
    """
    choose_renderer()
    device = assembly.resolve_device(config.device)
    spaces = assembly.env_spaces(config)
    demonstrations = assembly.load_demonstrations(config, spaces)
    run = _Run(config, run_dir, console, Seeds.of(config.seed), device, demonstrations)
    _describe(run)
    prior = _prior(run, resume)
    agent = assembly.build_agent(config, spaces, prior, demonstrations, run.seeds, device)
    found = checkpoints(run_dir.checkpoints) if resume else []
    checkpoint = Checkpoint.load(found[-1]) if found else None
    _trim_metrics(run_dir.metrics, checkpoint)
    with _training(run, agent) as training:
        if dry_run:
            _dry_run(training, console)
            return {}
        if checkpoint is not None:
            training.restore(checkpoint)
            run.console.line(f"continuing at {training.recorder.env_steps:,} environment steps")
        if run_dir.changes:
            _adopt_changes(run, training.recorder)
        training.run(run_dir.checkpoints)
        summary = _summary(run, training.recorder)
    run_dir.write_summary(summary)
    report = _write_report(run, prior, agent)
    for name in ("success_ever", "success_at_end"):
        before, after = summary["before"][name], summary["after"][name]
        console.line(f"{name}: {before:.2f} before learning, {after:.2f} after")
    console.line(f"report: {report}")
    return summary


def _describe(run: _Run) -> None:
    """Tells what the run starts from, on the console and in ``environment.json``."""
    data_hash = None
    if run.demonstrations is not None:
        data_hash = run.demonstrations.hash
        run.console.line(f"demonstrations: {_in_short(run.demonstrations)}")
    name = run.device.type
    if name == "cuda":
        name = f"cuda: {torch.cuda.get_device_name(run.device)}"
    run.directory.write_environment(
        describe_environment(run.config, device=name, demonstrations_hash=data_hash)
    )


def _prior(run: _Run, resume: bool) -> Prior | None:
    """The prior of an earlier start of this run, or a newly fitted one, which is saved."""
    path = run.directory.prior
    if resume and path.exists():
        run.console.line(f"prior: read from {path}")
        return load_prior(path, device=run.device)
    prior = assembly.fit_prior(run.config, run.demonstrations, run.seeds, run.device, run.console)
    if prior is not None:
        prior.save(path)
    return prior


@contextlib.contextmanager
def _training(run: _Run, agent: Agent) -> Iterator[Training]:
    """The learning loop with its environments and files, closed at the end whatever happens."""
    config, training = run.config, run.config.training
    with contextlib.ExitStack() as stack:
        replay = agent.make_replay(training.replay_capacity, training.n_envs, run.seeds.replay)
        rollouts = Rollouts(
            config.env, training.n_envs, agent.policy, replay, seed=run.seeds.environments
        )
        stack.callback(rollouts.close)
        evaluator = Evaluator(config.env, config.evaluation)
        stack.callback(evaluator.close)
        tensorboard = run.directory.tensorboard if config.logging.tensorboard else None
        recorder = Recorder(run.directory.metrics, tensorboard)
        stack.callback(recorder.close)
        yield Training(config, agent, replay, rollouts, evaluator, recorder, run.console)


def _dry_run(training: Training, console: Console) -> None:
    """One step of each environment, and one update of each phase."""
    losses = training.try_out()
    values = ", ".join(f"{name} {value.item():.3g}" for name, value in losses.items())
    console.line(f"dry run: everything builds, and one update gives {values}")


def _trim_metrics(path: Path, checkpoint: Checkpoint | None) -> None:
    if checkpoint is not None:
        position = checkpoint.position
        truncate_metrics(path, position["env_steps"], position["updates"])
    elif path.exists():
        path.unlink()


def _adopt_changes(run: _Run, recorder: Recorder) -> None:
    """Says what a resume changes, in the metrics from where it holds, and then in the config."""
    for change in in_words(run.directory.changes):
        run.console.line(f"{change} from here on")
    recorder.write_changes(run.directory.changes)
    run.directory.write_config(run.config)


def _summary(run: _Run, recorder: Recorder) -> dict[str, Any]:
    evaluations = [e for e in read_metrics(run.directory.metrics) if e["event"] == "evaluation"]
    first, last = (
        {m.field: e[m.field] for m in MEASURES} for e in (evaluations[0], evaluations[-1])
    )
    return {
        "kind": run.config.agent.kind,
        "seed": run.config.seed,
        "env_steps": recorder.env_steps,
        "updates": recorder.updates,
        "wall_seconds": round(recorder.wall_seconds, 1),
        "before": first,
        "after": last,
        "config_hash": config_hash(run.config),
        "status": "done",
    }


def _write_report(run: _Run, prior: Prior | None, agent: Agent) -> Path:
    config, directory = run.config, run.directory
    if isinstance(prior, GaussianPrior) and run.demonstrations is not None:
        curve = prior_std_curve(prior, run.demonstrations.states, generator=run.seeds.report)
        write_json(directory.prior_std, curve)
    if config.logging.frames:
        frames = record_frames(
            config.env,
            lambda states: agent.policy.act(states, deterministic=True),
            seed=config.evaluation.first_seed,
            n_frames=config.logging.frames,
        )
        frames.save(directory.frames)
    return write_report(directory.path)


def _in_short(demonstrations: Demonstrations) -> str:
    """The demonstrations in one line."""
    counts = demonstrations.summary()
    parts = [f"{counts['episodes']} episodes", f"{counts['steps']:,} steps"]
    if counts["episodes_with_success"] is not None:
        parts.append(f"{counts['episodes_with_success']} successful")
    if counts["n_clipped"]:
        parts.append(f"{counts['n_clipped']:,} action entries clipped to [-1, 1]")
    return f"{counts['source']}, {', '.join(parts)}"
