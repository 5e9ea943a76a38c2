"""The environment that the README of nppac-envs shows can be trained, word for word."""

from __future__ import annotations

import importlib
import io
import re
from pathlib import Path

import pytest
from nppac_agents.experiment.config import (
    EvaluationConfig,
    ExperimentConfig,
    LoggingConfig,
    TrainingConfig,
)
from nppac_agents.methods.sac import SAC
from nppac_agents.running.plain_console import PlainConsole
from nppac_agents.running.run import run_experiment
from nppac_agents.running.run_directory import RunDirectory

pytestmark = [pytest.mark.medium, pytest.mark.filterwarnings("error:.*precision lowered")]

README = Path(__file__).parents[1] / "packages" / "nppac-envs" / "README.md"


def test_the_readmes_own_environment_trains(tmp_path: Path, monkeypatch):
    (block,) = (
        b
        for b in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
        if "class " in b
    )
    (tmp_path / "own_environment.py").write_text(block)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = importlib.import_module("own_environment")
    config = ExperimentConfig(
        env=own.PendulumConfig(horizon=10),
        agent=SAC(policy_hidden=(16,), critic_hidden=(16,), batch_size=16, squash=True),
        training=TrainingConfig(env_steps=60, n_envs=2, start_steps=20),
        evaluation=EvaluationConfig(every=30, episodes=2, reporting_episodes=2),
        logging=LoggingConfig(tensorboard=False, frames=0, checkpoint_every=20),
        device="cpu",
    )
    run_dir = RunDirectory(tmp_path / "run")
    run_dir.checkpoints.mkdir(parents=True)
    summary = run_experiment(config, run_dir=run_dir, console=PlainConsole(io.StringIO()))
    assert (summary["status"], summary["env_steps"], summary["updates"]) == ("done", 60, 40)
