from __future__ import annotations

import json
import subprocess

import pytest
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.provenance import describe_environment


@pytest.fixture
def describe(experiment):
    def describe():
        config = ExperimentConfig.model_validate(experiment)
        return describe_environment(config, device="cpu", demonstrations_hash="abc")

    return describe


def test_it_names_versions_machine_and_data(describe):
    found = describe()
    assert json.loads(json.dumps(found)) == found
    assert found["python"].startswith("3.")
    assert (found["device"], found["demonstrations_hash"]) == ("cpu", "abc")
    assert found["cpu_count"] >= 1
    assert {"torch", "tianshou", "mujoco", "nppac-priors"} <= set(found["packages"])
    assert found["packages"]["torch"] is not None


def test_it_lists_the_components_used_and_no_others(describe, experiment):
    plugins = describe()["plugins"]
    assert [(p["what"], p["kind"], p["distribution"]) for p in plugins] == [
        ("env", "door", "nppac-envs"),
        ("prior", "exact-gp", "nppac-priors"),
        ("agent", "nppac", "nppac-agents"),
    ]
    assert plugins[0]["class"] == "nppac_envs.adroit.config.DoorConfig"
    experiment["prior"] = None
    assert [p["kind"] for p in describe()["plugins"]] == ["door", "nppac"]


def test_no_commit_outside_a_repository(describe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert describe()["git"] is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe()["git"] is None


def test_the_commit_and_whether_files_differ(describe, tmp_path, monkeypatch):
    def git(*arguments):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    assert describe()["git"] == {"commit": git("rev-parse", "HEAD"), "modified": False}
    (tmp_path / "file").write_text("2")
    assert describe()["git"]["modified"] is True
