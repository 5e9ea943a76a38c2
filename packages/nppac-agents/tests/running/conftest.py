"""Fixtures: a small valid experiment as data, and one that really runs."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nppac_agents.experiment.config import (
    EvaluationConfig,
    ExperimentConfig,
    LoggingConfig,
    TrainingConfig,
)
from nppac_agents.methods.nppac import NPPAC
from nppac_agents.parts.part import Part
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run_directory import RunDirectory
from nppac_envs import NpzConfig


@pytest.fixture
def experiment() -> dict[str, Any]:
    """A valid experiment; its demonstrations are not there."""
    return json.loads((Path(__file__).parents[1] / "experiment" / "valid.json").read_text())


@pytest.fixture
def point_experiment(point_config, prior_config, demonstrations, tmp_path) -> ExperimentConfig:
    """A whole experiment on the point task that runs in seconds."""
    path = tmp_path / "point.npz"
    demonstrations.save_npz(path)
    return ExperimentConfig(
        env=point_config,
        demonstrations=NpzConfig(source="npz", path=path),
        prior=prior_config,
        agent=NPPAC(
            policy_hidden=(16,),
            critic_hidden=(16,),
            batch_size=32,
            prior_scale="std",
            rollout_steps=0,
            critic_warmup_updates=0,
        ),
        training=TrainingConfig(env_steps=300, n_envs=3, start_steps=60),
        evaluation=EvaluationConfig(every=100, episodes=4, reporting_episodes=6),
        logging=LoggingConfig(every=20, tensorboard=False, frames=0, checkpoint_every=90),
        device="cpu",
        output_dir=str(tmp_path / "run"),
    )


@pytest.fixture
def run_point(tmp_path) -> Callable[..., tuple[dict[str, Any], RunDirectory]]:
    """Runs an experiment in a folder of its own; returns the summary and the run directory.

    Only `report=True` draws the report, which takes longer than the rest of such a run.
    """
    from nppac_agents.running.run import run_experiment

    def run(config: ExperimentConfig, name: str = "run", *, report: bool = False, **options: Any):
        run_dir = RunDirectory(tmp_path / name)
        run_dir.checkpoints.mkdir(parents=True, exist_ok=True)
        console = PlainConsole(io.StringIO())
        with pytest.MonkeyPatch.context() as patch:
            if not report:
                patch.setattr("nppac_agents.running.run.write_report", lambda folder: folder)
            return run_experiment(config, run_dir=run_dir, console=console, **options), run_dir

    return run


@pytest.fixture
def finished(point_experiment, run_point, monkeypatch) -> RunDirectory:
    """A run on the point task; its config file cannot name the test's own environment."""
    _, run_dir = run_point(point_experiment)
    monkeypatch.setattr(RunDirectory, "config", lambda self: point_experiment)
    return run_dir


@pytest.fixture
def optimizer_steps(monkeypatch) -> list[torch.optim.Optimizer]:
    """Grows with every optimizer step that moves parameters of an agent that a run has built."""
    from nppac_agents.running import assembly

    build, agents, steps = assembly.build_agent, [], []

    def recorded(*args: Any, **options: Any):
        agents.append(build(*args, **options))
        return agents[-1]

    along = Part.along

    def count(part: Part, gradient: torch.Tensor) -> torch.Tensor:
        if any(part is own for agent in agents for own in agent.parts):
            steps.append(part.optimizer)
        return along(part, gradient)

    monkeypatch.setattr(assembly, "build_agent", recorded)
    monkeypatch.setattr(Part, "along", count)
    return steps
