"""Fixtures: a small valid experiment as data, and one that really runs."""

from __future__ import annotations

import json
import shutil
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
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.training import Training
from nppac_envs import NpzConfig
from small_runs import run_in


@pytest.fixture
def experiment() -> dict[str, Any]:
    """A valid experiment; its demonstrations are not there."""
    return json.loads((Path(__file__).parents[1] / "experiment" / "valid.json").read_text())


@pytest.fixture(scope="session")
def point_experiment_in(
    point_config, prior_config, demonstrations
) -> Callable[[Path], ExperimentConfig]:
    """A whole experiment on the point task that runs in seconds, in a folder."""

    def make(folder: Path) -> ExperimentConfig:
        path = folder / "point.npz"
        demonstrations.save_npz(path)
        return ExperimentConfig(
            env=point_config,
            demonstrations=NpzConfig(source="npz", path=path),
            prior=prior_config.model_copy(update={"steps": 5}),
            agent=NPPAC(
                policy_hidden=(16,),
                critic_hidden=(16,),
                batch_size=32,
                prior_scale="std",
                rollout_steps=0,
                critic_warmup_updates=0,
            ),
            training=TrainingConfig(
                env_steps=150, n_envs=3, start_steps=30, replay_capacity=40_000
            ),
            evaluation=EvaluationConfig(every=50, episodes=4, reporting_episodes=6),
            logging=LoggingConfig(every=10, tensorboard=False, frames=0, checkpoint_every=45),
            device="cpu",
            output_dir=str(folder / "run"),
        )

    return make


@pytest.fixture
def point_experiment(point_experiment_in, tmp_path) -> ExperimentConfig:
    return point_experiment_in(tmp_path)


@pytest.fixture
def run_point(tmp_path) -> Callable[..., tuple[dict[str, Any], RunDirectory]]:
    """Runs an experiment in a folder of its own; returns the summary and the run directory.

    Only `report=True` draws the report.
    """

    def run(config: ExperimentConfig, name: str = "run", *, report: bool = False, **options: Any):
        return run_in(tmp_path / name, config, report, **options), RunDirectory(tmp_path / name)

    return run


@pytest.fixture
def killed_and_resumed(run_point, monkeypatch) -> Callable[..., RunDirectory]:
    """Runs an experiment until the phases of its updates so far say that it dies; resumes it."""

    class Killed(BaseException):
        pass

    def run(config: ExperimentConfig, dies: Callable[[list[str]], bool]) -> RunDirectory:
        update, phases = Training._update_and_record, []

        def killed(self, phase):
            phases.append(phase.name)
            if dies(phases):
                raise Killed
            update(self, phase)

        with monkeypatch.context() as patch:
            patch.setattr(Training, "_update_and_record", killed)
            with pytest.raises(Killed):
                run_point(config, "killed")
        return run_point(config, "killed", resume=True)[1]

    return run


@pytest.fixture(scope="session")
def point_run(point_experiment_in, tmp_path_factory) -> tuple[dict[str, Any], RunDirectory]:
    """The summary and the directory of the point experiment, run once with its report; to read."""
    folder = tmp_path_factory.mktemp("point")
    summary = run_in(folder / "run", point_experiment_in(folder), report=True)
    return summary, RunDirectory(folder / "run")


@pytest.fixture
def finished(point_run, point_experiment, tmp_path, monkeypatch) -> RunDirectory:
    """A copy of that run; its config file cannot name the tests' own environment."""
    shutil.copytree(point_run[1].path, tmp_path / "run")
    monkeypatch.setattr(RunDirectory, "config", lambda self: point_experiment)
    return RunDirectory(tmp_path / "run")


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
