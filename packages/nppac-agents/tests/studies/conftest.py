"""Fixtures: a study of runs of a second each, with everything that a run has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import Demonstrations

LINE = """
from __future__ import annotations

from typing import Any, Literal

import gymnasium
import nppac_envs
import numpy as np
from gymnasium.wrappers import TimeLimit


class Line(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = float(self.np_random.uniform(-1, 1))
        return np.array([self.position, 1.0], np.float32), {}

    def step(self, action):
        self.position += 0.2 * float(action[0]) + float(self.np_random.normal(0, 0.01))
        success = abs(self.position) < 0.2
        state = np.array([self.position, 1.0], np.float32)
        return state, float(success), False, False, {"success": success}

    def get_state(self):
        return {"position": np.array(self.position)}

    def set_state(self, state):
        self.position = float(state["position"])


class LineConfig(nppac_envs.EnvConfig):
    kind: Literal["line"] = "line"
    horizon: int = 10

    @property
    def has_success(self) -> bool:
        return True

    def make(self, *, render_mode=None) -> Any:
        return TimeLimit(Line(), self.horizon)


@nppac_envs.hookimpl
def nppac_env_configs():
    return [LineConfig]
"""


@pytest.fixture
def line_plugin(tmp_path, monkeypatch) -> Path:
    """The environment `line`, as a plugin of child processes."""
    site = tmp_path / "site"
    info = site / "line_world-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: line-world\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nppac.envs]\nline = line_world\n")
    (site / "line_world.py").write_text(LINE)
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.chdir(tmp_path)
    return site


@pytest.fixture
def line_experiment(tmp_path) -> dict[str, Any]:
    """An experiment on `line` with a fitted prior, checkpoints and an evaluation now and then."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(-1, 1, (40, 1)).astype(np.float32)
    states = np.concatenate([positions, np.ones_like(positions)], axis=1)
    actions = np.clip(-3 * positions, -1, 1)
    lengths = np.full(4, 10)
    Demonstrations(states, actions, states[9::10], lengths).save_npz(tmp_path / "line.npz")
    return {
        "env": {"kind": "line"},
        "demonstrations": {"source": "npz", "path": "line.npz"},
        "prior": {"kind": "gaussian-mlp", "hidden": [8], "steps": 20},
        "agent": {
            "kind": "nppac", "policy_hidden": [8], "critic_hidden": [8], "batch_size": 8,
            "rollout_steps": 0, "critic_warmup_updates": 0,
            "start": "residual",
        },
        "training": {"env_steps": 120, "n_envs": 2, "start_steps": 20},
        "evaluation": {"every": 40, "episodes": 2, "reporting_episodes": 2},
        "logging": {"every": 10, "frames": 0, "tensorboard": False, "checkpoint_every": 20},
        "device": "cpu",
    }  # fmt: skip


@pytest.fixture
def write_study(tmp_path, line_plugin, line_experiment) -> Callable[..., Path]:
    """Writes a study file of the given fields; its experiment is `line`, in two processes."""

    def write(**fields: Any) -> Path:
        path = tmp_path / "study.json"
        study = {
            "experiments": {"line": line_experiment},
            "executor": {"kind": "local", "processes": 2, "threads": 1},
        }
        path.write_text(json.dumps(study | fields))
        return path

    return write


Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def command() -> Command:
    """Starts `nppac-run` as a process."""

    def start(*argv: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "nppac_agents", *map(str, argv)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
