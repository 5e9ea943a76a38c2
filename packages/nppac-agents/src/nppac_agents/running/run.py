"""``run_experiment``: from a validated experiment to a run directory with its report."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from nppac_envs import Demonstrations
from nppac_priors import GaussianPrior, Prior, load_prior

from nppac_agents.acting import ActingPolicy
from nppac_agents.experience.rollouts import Rollouts
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.reporting.frames import choose_renderer, record_frames
from nppac_agents.reporting.prior_std import prior_std_curve
from nppac_agents.reporting.report import write_report
from nppac_agents.running import assembly
from nppac_agents.running.atomic_files import write_json
from nppac_agents.running.checkpoint import Checkpoint, checkpoints
from nppac_agents.running.console import Console
from nppac_agents.running.environment import describe_environment
from nppac_agents.running.evaluation import Evaluator
from nppac_agents.running.metrics import read_metrics, truncate_metrics
from nppac_agents.running.recorder import Recorder
from nppac_agents.running.run_directory import RunDirectory, config_hash
from nppac_agents.running.seeds import Seeds
from nppac_agents.running.training import Training


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
    seeds = Seeds.of(config.seed)
    device = assembly.resolve_device(config.device)
    spaces = assembly.env_spaces(config)
    demonstrations = assembly.load_demonstrations(config, spaces)
    if demonstrations is not None:
        console.line(f"demonstrations: {_in_short(demonstrations)}")
    data_hash = None if demonstrations is None else demonstrations.hash
    run_dir.write_environment(
        describe_environment(config, device=_in_words(device), demonstrations_hash=data_hash)
    )
    prior = _prior(config, demonstrations, seeds, device, run_dir, console, resume)
    agent = assembly.build_agent(config, spaces, prior, demonstrations, seeds, device)
    found = checkpoints(run_dir.checkpoints) if resume else []
    checkpoint = Checkpoint.load(found[-1]) if found else None
    _trim_metrics(run_dir.metrics, checkpoint)
    with _training(config, agent, seeds, run_dir, console) as training:
        if dry_run:
            _one_update(training, console)
            return {}
        if checkpoint is None:
            training.pretrain()
            training.evaluate()
            training.checkpoint().save(run_dir.checkpoints)
        else:
            training.restore(checkpoint)
            console.line(f"continuing at {training.recorder.env_steps:,} environment steps")
        training.run(run_dir.checkpoints)
        summary = _summary(config, run_dir, training.recorder)
    run_dir.write_summary(summary)
    report = _write_report(config, run_dir, prior, demonstrations, agent.policy, seeds)
    for name in ("success_ever", "success_at_end"):
        before, after = summary["before"][name], summary["after"][name]
        console.line(f"{name}: {before:.2f} before learning, {after:.2f} after")
    console.line(f"report: {report}")
    return summary


def _prior(config, demonstrations, seeds, device, run_dir, console, resume) -> Prior | None:
    """The prior of an earlier start of this run, or a newly fitted one, which is saved."""
    if resume and run_dir.prior.exists():
        console.line(f"prior: read from {run_dir.prior}")
        return load_prior(run_dir.prior, device=device)
    prior = assembly.fit_prior(config, demonstrations, seeds, device, console)
    if prior is not None:
        prior.save(run_dir.prior)
    return prior


@contextlib.contextmanager
def _training(config, agent, seeds, run_dir, console) -> Iterator[Training]:
    """The learning loop with its environments and files, closed at the end whatever happens."""
    training = config.training
    with contextlib.ExitStack() as stack:
        replay = agent.make_replay(training.replay_capacity, training.n_envs, seeds.replay)
        rollouts = Rollouts(
            config.env, training.n_envs, agent.policy, replay, seed=seeds.environments
        )
        stack.callback(rollouts.close)
        evaluator = Evaluator(config.env, config.evaluation)
        stack.callback(evaluator.close)
        tensorboard = run_dir.tensorboard if config.logging.tensorboard else None
        recorder = Recorder(run_dir.metrics, tensorboard)
        stack.callback(recorder.close)
        yield Training(config, agent, replay, rollouts, evaluator, recorder, console)


def _one_update(training: Training, console: Console) -> None:
    """What a dry run does: one step of each environment, and one update on what came."""
    training.rollouts.step()
    losses = training.agent.step(training.replay.sample_transitions(training.agent.batch_size))
    values = ", ".join(f"{name} {value.item():.3g}" for name, value in losses.items())
    console.line(f"dry run: everything builds, and one update gives {values}")


def _trim_metrics(path: Path, checkpoint: Checkpoint | None) -> None:
    if checkpoint is not None:
        position = checkpoint.position
        truncate_metrics(path, position["env_steps"], position["updates"])
    elif path.exists():
        path.unlink()


def _summary(config: ExperimentConfig, run_dir: RunDirectory, recorder: Recorder) -> dict[str, Any]:
    names = ("success_ever", "success_at_end", "solved_fraction", "time_to_success", "return_mean")
    evaluations = [e for e in read_metrics(run_dir.metrics) if e["event"] == "evaluation"]
    first, last = ({n: e[n] for n in names} for e in (evaluations[0], evaluations[-1]))
    return {
        "kind": config.agent.kind,
        "seed": config.seed,
        "env_steps": recorder.env_steps,
        "updates": recorder.updates,
        "wall_seconds": round(recorder.wall_seconds, 1),
        "before": first,
        "after": last,
        "config_hash": config_hash(config),
        "status": "done",
    }


def _write_report(
    config, run_dir, prior, demonstrations, policy: ActingPolicy, seeds: Seeds
) -> Path:
    if isinstance(prior, GaussianPrior) and demonstrations is not None:
        curve = prior_std_curve(prior, demonstrations.states, generator=seeds.report)
        write_json(run_dir.prior_std, curve)
    if config.logging.frames:
        frames = record_frames(
            config.env,
            lambda states: policy.act(states, deterministic=True),
            seed=config.evaluation.first_seed,
            n_frames=config.logging.frames,
        )
        frames.save(run_dir.frames)
    return write_report(run_dir.path)


def _in_short(demonstrations: Demonstrations) -> str:
    """The demonstrations in one line."""
    counts = demonstrations.summary()
    parts = [f"{counts['episodes']} episodes", f"{counts['steps']:,} steps"]
    if counts["episodes_with_success"] is not None:
        parts.append(f"{counts['episodes_with_success']} successful")
    if counts["n_clipped"]:
        parts.append(f"{counts['n_clipped']:,} action entries clipped to [-1, 1]")
    return f"{counts['source']}, {', '.join(parts)}"


def _in_words(device: torch.device) -> str:
    return f"cuda: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else "cpu"
