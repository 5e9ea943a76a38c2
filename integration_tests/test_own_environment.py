"""The environments that the README of nppac-envs shows can be trained, word for word."""

from __future__ import annotations

import importlib
import io
import re
import sys
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


@pytest.fixture
def own(tmp_path: Path, monkeypatch):
    """A module of the classes in the README."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (tmp_path / "own_environment.py").write_text("\n".join(b for b in blocks if "class " in b))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_environment", raising=False)
    return importlib.import_module("own_environment")


@pytest.mark.parametrize(
    ("kind", "goals"), [("PendulumConfig", {}), ("MyPushConfig", {"future_goals": 0.5})]
)
def test_the_readmes_own_environments_train(own, tmp_path: Path, kind, goals):
    small = {"policy_hidden": (16,), "critic_hidden": (16,), "batch_size": 16}
    config = ExperimentConfig(
        env=getattr(own, kind)(horizon=10),
        agent=SAC(**small, squash=True, **goals),
        training=TrainingConfig(env_steps=60, n_envs=2, start_steps=20),
        evaluation=EvaluationConfig(every=30, episodes=2, reporting_episodes=2),
        logging=LoggingConfig(tensorboard=False, frames=0, checkpoint_every=20),
        device="cpu",
    )
    run_dir = RunDirectory(tmp_path / "run")
    run_dir.checkpoints.mkdir(parents=True)
    summary = run_experiment(config, run_dir=run_dir, console=PlainConsole(io.StringIO()))
    assert (summary["status"], summary["env_steps"], summary["updates"]) == ("done", 60, 40)
