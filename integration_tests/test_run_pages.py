"""The pages on a run and on what leaves it: their Python runs, and a table names every file."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nppac_agents.cli import main
from nppac_agents.experiment.loading import set_field
from nppac_agents.loggers.services import TrackioConfig, WandbConfig
from nppac_agents.running.run_directory import RunDirectory
from nppac_envs.demonstrations.shipped import ShippedConfig
from numpy.typing import NDArray

from integration_tests.pages import DOCS, ROOT, python_of

pytestmark = pytest.mark.medium

SHORT: dict[str, Any] = {
    "env.horizon": 20,
    "demonstrations.n_episodes": 3,
    "prior.steps": 2,
    "prior.subset_size": 50,
    "agent.policy_hidden": [16],
    "agent.critic_hidden": [16],
    "agent.batch_size": 16,
    "training": {"env_steps": 16, "n_envs": 2, "start_steps": 8},
    "evaluation": {"every": 16, "episodes": 2, "reporting_episodes": 2},
    "logging": {"frames": 1},
    "device": "cpu",
}


@pytest.fixture(scope="module")
def states() -> NDArray[np.float32]:
    """What the run's environment shows."""
    return ShippedConfig(name="door", n_episodes=1).load().states[:5]


@pytest.fixture(scope="module")
def page(tmp_path_factory, states) -> dict[str, Any]:
    """What the Python on runs defines, with the quickstart cut short, and the folder it ran in."""
    folder = tmp_path_factory.mktemp("page")
    experiment = json.loads((ROOT / "examples" / "quickstart.json").read_text())
    for field, value in SHORT.items():
        set_field(experiment, field, value)
    (folder / "examples").mkdir()
    (folder / "examples" / "quickstart.json").write_text(json.dumps(experiment))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return python_of("run-directory.md", states=states, folder=folder)


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    """A folder in place of a model hub."""
    kept = tmp_path / "hub"
    calls = {
        "create_repo": lambda repo, **options: None,
        "upload_folder": lambda folder_path, **options: (
            shutil.copytree(folder_path, kept) and SimpleNamespace(oid="abc")
        ),
        "snapshot_download": lambda repo, *, local_dir, **options: shutil.copytree(
            kept, local_dir, dirs_exist_ok=True
        ),
    }
    for name, call in calls.items():
        monkeypatch.setattr(f"huggingface_hub.{name}", call)
    return kept


def test_a_run_in_python_is_as_the_page_shows_it(page, monkeypatch):
    monkeypatch.chdir(page["folder"])
    run = page["run"]
    assert run.summary == json.loads(Path("runs/quick/summary.json").read_text())
    evaluated = run.metrics["evaluation"]
    assert evaluated["success_ever"].shape == evaluated["env_steps"].shape == (2,)


def test_a_policy_leaves_its_run_as_the_page_shows_it(page, states, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export = ["export", str(page["folder"] / "runs/quick"), "arm-policy", "--onnx"]
    assert main([*export, "--licence", "CC BY 4.0"]) == 0
    shown = python_of("deploy.md", observation=states[0])
    assert (hub / "policy.safetensors").is_file()
    assert Path("arm-policy-2/card.json").read_bytes() == (hub / "card.json").read_bytes()
    acted = shown["policy"].act(states[0])
    (computed,) = shown["session"].run(["action"], {"states": states[:1]})
    np.testing.assert_allclose(computed[0], acted, atol=1e-4)
    assert 0.0 <= shown["trust"] <= 1.0
    assert shown["action"].shape == acted.shape


SOMETIMES = {
    RunDirectory("").lock.name,
    "policy.mp4",
    "wandb/",
    *(f"{cls.model_fields['kind'].default}.json" for cls in (TrackioConfig, WandbConfig)),
}
"""What a run that has ended, has not been filmed and was told to no service lacks."""


def test_the_table_of_a_runs_files_names_what_is_there(page):
    rows = re.findall(r"^\| (`[^|]*) \|", (DOCS / "run-directory.md").read_text(), re.M)
    first = next(number for number, row in enumerate(rows) if "run.lock" in row)
    named = {name for row in rows[: first + 1] for name in re.findall(r"`([^`]+)`", row)}
    run = page["folder"] / "runs" / "quick"
    there = {entry.name + "/" * entry.is_dir() for entry in run.iterdir()}
    assert (run / "checkpoints" / "best").is_dir()
    assert named - SOMETIMES == there | {"checkpoints/best/"}
    assert named >= SOMETIMES
