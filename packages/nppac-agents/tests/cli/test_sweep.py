from __future__ import annotations

import json
from pathlib import Path

import minari
import pytest
from nppac_agents.studies import estimate, sweep

SAC = {
    "env": {"kind": "door"},
    "agent": {"kind": "sac", "policy_hidden": [8], "critic_hidden": [8], "batch_size": 8},
    "training": {"env_steps": 1000, "n_envs": 1, "start_steps": 100},
    "evaluation": {"episodes": 1, "reporting_episodes": 0},
    "device": "cpu",
}

BC = {"agent": {"kind": "bc"}, "device": "cpu", "training": {"env_steps": 0}}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sac.json"
    path.write_text(json.dumps(SAC))
    return path


def events(monkeypatch):
    """Instead of a sweep, whether the folder was ready for one."""
    seen = []

    class Done:
        def __init__(self, study, view):
            self.study, self.given_up = study, {}

        def run(self):
            seen.extend(self.study.runs)
            assert self.study.lock.exists()
            assert (self.study.path / "study.json").exists()

    monkeypatch.setattr(sweep, "Sweep", Done)
    return seen


@pytest.mark.medium
def test_a_dry_run_lists_the_runs_with_their_time_and_leaves_nothing(nppac_run, file, monkeypatch):
    seconds = {"n": 0}

    def timed(config):
        seconds["n"] += 1
        return 3600.0 * config.agent.model_dump()["alpha"]

    monkeypatch.setattr(estimate, "timed_seconds", timed)
    options = ["--seeds", "0:2", "--grid", "agent.alpha=1,2", "--executor", "local,processes=3"]
    result = nppac_run("sweep", file, *options, "--dry-run")
    assert (result.code, result.err) == (0, [])
    lines = result.out.splitlines()
    assert lines[0].split() == ["sac/agent.alpha=1/seed0", "1:00:00", "timed"]
    assert lines[3].split() == ["sac/agent.alpha=2/seed1", "2:00:00", "timed"]
    assert "4 runs in runs/sac; about 2:00:00 to go with 3 at a time" in lines[4]
    assert seconds["n"] == 2
    assert not Path("runs").exists()


@pytest.mark.medium
def test_what_took_its_time_is_the_estimate_of_its_seeds(nppac_run, file):
    for seed, took in ((0, 10.0), (1, 30.0)):
        run = Path(f"runs/sac/runs/sac/seed{seed}")
        run.mkdir(parents=True)
        config = {**SAC, "seed": seed, "output_dir": str(run)}
        (run / "config.json").write_text(json.dumps(config))
        (run / "summary.json").write_text(json.dumps({"wall_seconds": took}))
        (run / "report.html").touch()
    Path("runs/sac/study.json").touch()
    result = nppac_run("sweep", file, "--seeds", "0:3", "--dry-run")
    assert result.code == 0
    rows = [line.split(None, 2) for line in result.out.splitlines()[:3]]
    assert [row[1:] for row in rows] == [
        ["0:10", "took"],
        ["0:30", "took"],
        ["0:20", "as its seeds"],
    ]


@pytest.mark.slow
def test_an_estimate_grows_with_the_updates_and_the_steps(file):
    from nppac_agents.experiment.loading import load_experiment

    few = estimate.timed_seconds(load_experiment(file))
    many = estimate.timed_seconds(load_experiment(file, ["training.env_steps=1000000"]))
    assert 0 < few < many / 50


@pytest.mark.medium
def test_everything_is_checked_before_anything_starts(nppac_run, file, monkeypatch):
    seen = events(monkeypatch)
    data = '{"source": "npz", "path": "none.npz"}'
    argv = ["sweep", file, "--grid", f"demonstrations={data},null", "--executor", "local"]
    result = nppac_run(*argv)
    assert (result.code, len(result.err)) == (2, 1)
    assert "none.npz" in result.err[0]
    assert result.err[0].startswith("error: sac/demonstrations=")
    result = nppac_run("sweep", file, "--grid", "training.start_steps=900,1000")
    (line,) = result.err
    assert line.startswith(
        "error: sac/training.start_steps=1000: training: the first 1,000 environment steps earn no"
    )
    assert (seen, Path("runs").exists()) == ([], False)


@pytest.mark.medium
def test_a_study_can_be_asked_how_it_stands(nppac_run, file, monkeypatch):
    seen = events(monkeypatch)
    assert nppac_run("sweep", file, "--seeds", "0:3", "--output-dir", "mine").code == 0
    assert len(seen) == 3
    seen[1].path.mkdir(parents=True)
    (seen[1].path / "config.json").touch()
    event = {"event": "evaluation", "env_steps": 500, "updates": 7, "wall_seconds": 61.0}
    lines = [event | {"success_ever": 0.25}, {**event, "event": "train", "env_steps": 600}]
    (seen[1].path / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)) + '\n{"cut')
    (seen[2].path).mkdir()
    for name in ("summary.json", "report.html"):
        (seen[2].path / name).touch()
    Path("mine/given_up.json").write_text(json.dumps({"sac/seed0": "no disk"}))
    out = nppac_run("status", "mine").out.splitlines()
    assert out[0].split("  ")[0] == "run"
    assert out[1].split()[:3] == ["sac/seed0", "given", "up"]
    row = ["sac/seed1", "interrupted", "600/1,000", "7", "0.25", "1:01", "–"]
    assert out[2].split() == row
    assert out[3].split()[:2] == ["sac/seed2", "done"]
    assert out[4:] == ["3 runs: 1 given up, 1 done, 1 interrupted", "sac/seed0: no disk"]


def test_a_folder_that_is_no_study_is_said_to_be_none(nppac_run, tmp_path):
    result = nppac_run("status", tmp_path)
    assert result.code == 2
    assert "holds no study.json" in result.err[0]


def test_tuning_wants_a_space_and_seeds_of_its_own(nppac_run, file, tmp_path):
    result = nppac_run("tune", file)
    assert result == (2, "", [f"error: {file}: has no field tuning, which says what to search"])
    space = {"agent.alpha": {"type": "log", "low": 0.1, "high": 1}}
    study = {"experiments": {"sac": SAC}, "tuning": {"space": space, "seeds": [0]}}
    (tmp_path / "study.json").write_text(json.dumps(study))
    result = nppac_run("tune", "study.json")
    assert result.code == 2
    assert "0 is below 10, and these are for reporting" in result.err[0]
    assert not Path("runs").exists()


@pytest.mark.medium
def test_the_directory_of_a_run_is_no_place_for_a_study(nppac_run, file):
    """As where a study and a run happen to have one name."""
    run = Path("runs/sac")
    run.mkdir(parents=True)
    (run / "config.json").write_text(json.dumps(SAC))
    result = nppac_run("sweep", file)
    told = "error: output_dir: runs/sac exists and holds no study; choose another output_dir"
    assert (result.code, result.err) == (2, [told])
    assert [entry.name for entry in run.iterdir()] == ["config.json"]


def served(file: Path) -> None:
    """The experiment, with a set of Minari's server."""
    demonstrations = {"source": "minari", "id": "D4RL/door/human-v2", "download": True}
    agent = {"kind": "sacfd", "policy_hidden": [8], "critic_hidden": [8], "batch_size": 8}
    file.write_text(json.dumps({**SAC, "agent": agent, "demonstrations": demonstrations}))


@pytest.mark.medium
def test_a_dry_run_fetches_nothing(nppac_run, file, monkeypatch, tmp_path):
    served(file)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "none"))
    fetched = []
    monkeypatch.setattr(minari, "download_dataset", fetched.append)
    result = nppac_run("sweep", file, "--seeds", "0:2", "--dry-run")
    assert (result.code, result.err, fetched) == (0, [], [])
    lines = result.out.splitlines()
    assert lines[1].split() == [
        "sac/seed1", "–", "not", "timed,", "its", "demonstrations", "are", "fetched", "first",
    ]  # fmt: skip
    assert lines[2].endswith("nor are 2 runs that are not timed")
    assert nppac_run("sweep", file, "--seeds", "0:2").code == 2
    assert fetched == ["D4RL/door/human-v2"], "once for both seeds"


def test_a_dry_run_makes_the_environment_of_what_is_to_be_fetched(
    nppac_run, file, monkeypatch, tmp_path
):
    served(file)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "none"))
    broken = {"kind": "gymnasium", "id": "InvertedPendulum-v5", "kwargs": {"none": 1}}
    options = ["--set", f"env={json.dumps(broken)}", "--dry-run"]
    result = nppac_run("sweep", file, *options)
    assert result.code in (2, 3)
    assert "InvertedPendulum-v5" in result.err[0]


@pytest.mark.medium
def test_where_a_file_is_missing_the_studys_comment_is_told(nppac_run, file, tmp_path):
    missing = {"source": "npz", "path": "mixed.npz"}
    study = tmp_path / "family.json"
    content = {"$comment": ["Made by: nppac-run record"], "experiments": {"bc": BC}}
    study.write_text(json.dumps({**content, "set": {"demonstrations": missing}}))
    result = nppac_run("sweep", study, "--dry-run")
    assert (result.code, result.err) == (
        2,
        ["family: Made by: nppac-run record", f"error: bc: mixed.npz: no such file in {tmp_path}"],
    )
