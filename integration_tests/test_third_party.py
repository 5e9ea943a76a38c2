"""A package of somebody else's, installed beside ours, is used by `kind` without any change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PLUGIN = Path(__file__).parent / "third_party" / "nppac-knn-prior"
PLUGINS = [PLUGIN, PLUGIN.with_name("nppac-sac-bc"), PLUGIN.with_name("nppac-reach-env")]
OURS = [ROOT / "packages" / name for name in ("nppac-priors", "nppac-envs", "nppac-agents")]


@dataclass(frozen=True)
class Environment:
    """A virtual environment in which our packages and the plugin are really installed."""

    folder: Path

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        executable, *arguments = command
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NPPAC_", "PYTHON", "PYTEST_"))
        }
        return subprocess.run(
            [self.folder / "bin" / executable, *arguments],
            cwd=cwd,
            env=clean | {"OMP_NUM_THREADS": "1", "MUJOCO_GL": "disable"},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Everybody else's libraries come from the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("third_party") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path_file = folder / "lib" / version / "site-packages" / "libraries.pth"
    path_file.write_text(sysconfig.get_path("purelib") + "\n")
    environment = Environment(folder)
    installed = environment.run(
        *("python", "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation"),
        *("--ignore-installed", "--disable-pip-version-check", "--no-warn-script-location"),
        *(*OURS, *PLUGINS),
        cwd=folder,
    )
    assert installed.returncode == 0, installed.stderr
    return environment


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """An experiment file for a few short episodes, with demonstrations of random numbers."""
    rng = np.random.default_rng(0)
    lengths = np.array([20, 30])
    np.savez(
        tmp_path / "demonstrations.npz",
        states=rng.normal(size=(50, 39)).astype(np.float32),
        actions=rng.uniform(-1, 1, size=(50, 28)).astype(np.float32),
        episode_lengths=lengths,
        final_states=rng.normal(size=(2, 39)).astype(np.float32),
    )
    config = {
        "env": {"kind": "door", "horizon": 20},
        "demonstrations": {"source": "npz", "path": "demonstrations.npz"},
        "prior": {"kind": "knn", "neighbours": 3, "min_std": 0.1},
        "agent": {
            "kind": "nppac",
            "batch_size": 16,
            "policy_hidden": [16],
            "critic_hidden": [16],
            "rollout_steps": 0,
            "critic_warmup_updates": 0,
        },
        "training": {"env_steps": 80, "n_envs": 2, "start_steps": 40},
        "evaluation": {"every": 80, "episodes": 2, "reporting_episodes": 3},
        "logging": {"every": 10, "tensorboard": False, "frames": 0},
        "device": "cpu",
        "output_dir": "run",
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return path


def test_our_packages_are_installed_and_not_linked(environment, tmp_path):
    code = "import nppac_priors, nppac_envs, nppac_agents as a; print(nppac_priors.__file__)"
    result = environment.run("python", "-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert Path(result.stdout.strip()).is_relative_to(environment.folder)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_passes_its_own_tests(environment, tmp_path, plugin):
    result = environment.run(
        *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"),
        *("--rootdir", plugin, "-c", plugin / "pyproject.toml", plugin / "tests"),
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "passed" in result.stdout


def test_the_plugin_is_listed_with_its_distribution(environment, tmp_path):
    result = environment.run("nppac-run", "plugins", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    rows = {row["kind"]: row for row in json.loads(result.stdout)}
    assert rows["knn"]["distribution"] == "nppac-knn-prior"
    assert rows["knn"]["version"] == "0.3.0"
    assert {"exact-gp", "nppac", "door", "pen"} <= set(rows)


def test_a_config_with_the_plugins_kind_validates(environment, experiment):
    result = environment.run("nppac-run", experiment, "--dry-run", cwd=experiment.parent)
    assert result.returncode == 0, result.stderr
    assert not (experiment.parent / "run").exists()


def test_a_run_uses_the_plugins_prior(environment, experiment):
    result = environment.run("nppac-run", experiment, cwd=experiment.parent)
    assert result.returncode == 0, result.stderr
    run = experiment.parent / "run"
    assert json.loads((run / "summary.json").read_text())["status"] == "done"
    assert json.loads((run / "config.json").read_text())["prior"] == {
        "kind": "knn",
        "neighbours": 3,
        "min_std": 0.1,
        "far_std": 1.0,
    }
    assert "nppac-knn-prior" in (run / "environment.json").read_text()
    code = "import nppac_priors as p; print(p.load_prior('run/prior.safetensors').config.kind)"
    loaded = environment.run("python", "-c", code, cwd=experiment.parent)
    assert loaded.stdout.strip() == "knn", loaded.stderr


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ({"kind": "kn"}, "prior: unknown prior kind 'kn' (did you mean 'knn'?)"),
        ({"kind": "knn", "neighbours": 0}, "prior.neighbours: input should be greater than"),
        ({"kind": "knn", "neighbors": 3}, "prior: unknown field 'neighbors' (did you mean"),
    ],
)
def test_a_mistake_in_the_plugins_section_is_one_line(environment, experiment, prior, message):
    data = json.loads(experiment.read_text()) | {"prior": prior}
    experiment.write_text(json.dumps(data))
    result = environment.run("nppac-run", experiment, "--dry-run", cwd=experiment.parent)
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert message in line


def test_a_run_uses_the_plugins_agent_in_the_plugins_environment(environment, experiment):
    rng = np.random.default_rng(0)
    np.savez(
        experiment.parent / "reach.npz",
        states=rng.uniform(-1, 1, size=(20, 4)).astype(np.float32),
        actions=rng.uniform(-1, 1, size=(20, 2)).astype(np.float32),
        episode_lengths=np.array([20]),
        final_states=np.zeros((1, 4), np.float32),
    )
    agent = {"kind": "cloning-sac", "batch_size": 16, "policy_hidden": [16], "critic_hidden": [16]}
    data = json.loads(experiment.read_text()) | {
        "env": {"kind": "reach", "horizon": 20},
        "demonstrations": {"source": "npz", "path": "reach.npz"},
        "agent": agent,
    }
    del data["prior"]
    experiment.write_text(json.dumps(data))
    result = environment.run("nppac-run", experiment, cwd=experiment.parent)
    assert result.returncode == 0, result.stderr
    run = experiment.parent / "run"
    assert json.loads((run / "summary.json").read_text())["status"] == "done"
    assert "entropy" in "".join(p.read_text() for p in run.glob("metrics*"))
    for name in ("nppac-sac-bc", "nppac-reach-env"):
        assert name in (run / "environment.json").read_text()
