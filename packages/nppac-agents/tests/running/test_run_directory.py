from __future__ import annotations

import errno
import hashlib
import json
import os

import pytest
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.run_directory import (
    RunDirectory,
    RunDirectoryError,
    config_hash,
    learning_hash,
    resolved,
)
from nppac_priors.errors import ConfigError


@pytest.fixture
def make(experiment):
    """The experiment with top-level sections or fields changed."""

    def make(**changes) -> ExperimentConfig:
        data = {"output_dir": "runs/x", **experiment, **changes}
        return ExperimentConfig.model_validate(data)

    return make


@pytest.fixture
def agent(experiment):
    return experiment["agent"]


def test_the_written_config_leaves_nothing_to_defaults_and_round_trips(tmp_path, make):
    config = make(**{"$schema": "x.json"})
    run = RunDirectory.create(tmp_path / "a" / "run", config)
    data = json.loads(run.config_file.read_text())
    assert data["agent"]["gamma"] == 0.99
    assert data["prior"]["rank"] == 2
    assert data["prior"]["kernel"] == "matern32"
    assert data["demonstrations"]["fields"]["states"] == "states"
    assert data["logging"]["every"] == 250
    assert "$schema" not in data
    assert run.config() == config.model_copy(update={"schema_": None})
    for name in ("env", "prior", "agent"):
        assert set(data[name]) == set(type(getattr(config, name)).model_fields)


def test_an_existing_directory_is_refused_and_left_alone(tmp_path, make):
    path = tmp_path / "run"
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError) as error:
        RunDirectory.create(path, make())
    assert str(error.value) == (
        f"output_dir: {path} exists; use --resume to continue it, or another output_dir"
    )
    assert [entry.name for entry in path.iterdir()] == ["notes.txt"]


def test_an_empty_directory_is_used(tmp_path, make):
    assert RunDirectory.create(tmp_path, make()).config() == make()


def test_what_a_start_killed_at_once_leaves_is_used(tmp_path, make):
    run = RunDirectory(tmp_path)
    run.checkpoints.mkdir()
    run.lock.write_text("")
    (tmp_path / ".config.json.12.partial").write_text('{"env":')
    assert RunDirectory.resume(tmp_path, make()).config() == make()
    run.config_file.unlink()
    assert RunDirectory.create(tmp_path, make()).config() == make()
    run.config_file.unlink()
    (run.checkpoints / "x").write_text("")
    for start in (RunDirectory.resume, RunDirectory.create):
        with pytest.raises(ConfigError):
            start(tmp_path, make())


def test_a_file_in_the_way_is_refused(tmp_path, make):
    (tmp_path / "run").write_text("x")
    with pytest.raises(ConfigError, match="exists"):
        RunDirectory.create(tmp_path / "run", make())
    with pytest.raises(RunDirectoryError, match=r"cannot be written: Not a directory"):
        RunDirectory.create(tmp_path / "run" / "below", make())


def test_resume_starts_where_there_is_nothing(tmp_path, make):
    run = RunDirectory.resume(tmp_path / "run", make())
    assert run.config() == make()
    assert run.checkpoints.is_dir()


def test_resume_accepts_another_device_and_logging(tmp_path, make):
    RunDirectory.create(tmp_path / "run", make())
    changed = make(device="cpu", logging={"every": 7}, output_dir="elsewhere")
    run = RunDirectory.resume(tmp_path / "run", changed)
    assert run.changes == {
        "device": ("auto", "cpu"),
        "logging.every": (250, 7),
        "output_dir": ("runs/x", "elsewhere"),
    }
    assert run.config() == make(), "as long as nothing went on with it"
    run.write_config(changed)
    assert run.config() == changed
    assert RunDirectory.resume(tmp_path / "run", changed).changes == {}


def test_resume_accepts_other_evaluations_and_more_steps_but_no_other_choice(tmp_path, make):
    RunDirectory.create(tmp_path / "run", make())
    changed = make(
        evaluation={"every": 9, "episodes": 3}, training={"env_steps": 50_000, "start_steps": 5}
    )
    run = RunDirectory.resume(tmp_path / "run", changed)
    assert set(run.changes) == {"evaluation.every", "evaluation.episodes", "training.env_steps"}
    assert learning_hash(changed) == learning_hash(make())
    for other in ({"evaluation": {"select_over": 1}}, {"training": {"n_envs": 2}}):
        with pytest.raises(ConfigError, match="holds another experiment"):
            RunDirectory.resume(tmp_path / "run", make(**other))
    assert learning_hash(make(training={"n_envs": 2})) != learning_hash(make())


def test_resume_names_what_differs(tmp_path, make, agent):
    RunDirectory.create(tmp_path / "run", make())
    changed = make(seed=4, agent={**agent, "alpha": 0.5}, prior=None)
    with pytest.raises(ConfigError) as error:
        RunDirectory.resume(tmp_path / "run", changed)
    message = str(error.value)
    assert "agent.alpha was 0.1 and is 0.5" in message
    assert "seed was 3 and is 4" in message
    assert "prior was {" in message
    assert "\n" not in message


def test_resume_needs_a_run(tmp_path, make):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds no run to resume"):
        RunDirectory.resume(tmp_path, make())


@pytest.mark.parametrize("name", ["metrics.jsonl", "summary.json", "checkpoints/x.safetensors"])
def test_a_pipe_among_its_files_is_told_of_and_not_waited_for(tmp_path, make, name):
    run = RunDirectory.create(tmp_path / "run", make())
    os.mkfifo(run.path / name)
    with pytest.raises(ConfigError, match=f"{name}: is no regular file"):
        RunDirectory.resume(run.path, make())


def test_a_summary_that_is_a_pipe_is_told_of(tmp_path, make):
    run = RunDirectory.create(tmp_path / "run", make())
    assert run.summary() is None
    os.mkfifo(run.path / "summary.json")
    with pytest.raises(RunDirectoryError, match=r"summary\.json: is no regular file"):
        run.summary()


def test_resume_refuses_a_damaged_config(tmp_path, make):
    run = RunDirectory.create(tmp_path / "run", make())
    run.config_file.write_text('{"env": ')
    with pytest.raises(ConfigError, match=r"config\.json: line 1, column 9: not JSON"):
        RunDirectory.resume(tmp_path / "run", make())


def test_a_full_disk_is_one_line(tmp_path, make, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = RunDirectory.create(tmp_path / "run", make())
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunDirectoryError) as error:
        run.write_summary({"status": "done"})
    assert str(error.value) == f"{run.path}: cannot be written: No space left on device"
    assert run.summary() is None


def test_summary_and_environment(tmp_path, make):
    run = RunDirectory.create(tmp_path / "run", make())
    assert run.summary() is None
    run.write_summary({"status": "done", "after": {"time_to_success": float("nan")}})
    assert run.summary() == {"status": "done", "after": {"time_to_success": None}}
    run.write_environment({"python": "3.11"})
    assert json.loads((run.path / "environment.json").read_text()) == {"python": "3.11"}
    (run.path / "summary.json").write_text("{")
    with pytest.raises(RunDirectoryError, match=r"summary\.json: cannot be read"):
        run.summary()


@pytest.mark.parametrize("name", ["prior.safetensors", "metrics.jsonl", "checkpoints/x"])
def test_a_run_that_has_something_to_keep_is_used(tmp_path, make, name):
    run = RunDirectory.create(tmp_path / "run", make())
    assert run.is_unused
    (run.path / name).write_text("something")
    assert not run.is_unused


def test_only_what_a_start_writes_is_discarded(tmp_path, make):
    run = RunDirectory.create(tmp_path / "run", make())
    run.write_environment({})
    (run.path / "notes.txt").write_text("mine")
    (run.checkpoints / "mine").write_text("")
    run.discard()
    left = {str(path.relative_to(run.path)) for path in run.path.rglob("*")}
    assert left == {"notes.txt", "checkpoints", "checkpoints/mine"}
    (run.checkpoints / "mine").unlink()
    run.discard()
    assert [entry.name for entry in run.path.iterdir()] == ["notes.txt"]


def test_files_that_a_killed_process_left_are_removed_from_every_folder(tmp_path, make):
    run = RunDirectory.create(tmp_path / "run", make())
    (run.path / "plots").mkdir()
    names = (".summary.json.{}.partial", "plots/.a.png.{}.partial", "checkpoints/.b.{}.partial")
    for name in names:
        for pid in (2**22 + 1, os.getpid()):
            (run.path / name.format(pid)).write_text("half")
    run.remove_partials()
    left = {str(path.relative_to(run.path)) for path in run.path.rglob(".*")}
    assert left == {name.format(os.getpid()) for name in names}


def test_the_hash_tells_methods_apart_but_not_runs(make, agent):
    reference = config_hash(make())
    for same in (
        make(seed=9),
        make(output_dir="x"),
        make(device="cuda"),
        make(logging={"every": 3}),
        make(**{"$schema": "x"}),
        make(agent={"policy_hidden": [32, 32], "alpha": 0.1, "kind": "nppac"}),
    ):
        assert config_hash(same) == reference
    others = [
        config_hash(make(agent={**agent, "alpha": 0.5})),
        config_hash(make(env={"kind": "pen"})),
        config_hash(make(prior=None)),
        config_hash(make(evaluation={"episodes": 3})),
    ]
    assert len({reference, *others}) == 5


def test_the_hash_is_the_documented_one(make):
    data = resolved(make())
    for name in ("seed", "output_dir", "device", "logging"):
        del data[name]
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    assert config_hash(make()) == hashlib.sha256(text.encode()).hexdigest()


def test_every_file_lies_in_the_directory(tmp_path):
    run = RunDirectory(tmp_path)
    paths = {
        name: getattr(run, name)
        for name, value in vars(RunDirectory).items()
        if isinstance(value, property) and name != "is_unused"
    }
    assert {path.parent for path in paths.values()} == {tmp_path}
    assert len(set(paths.values())) == len(paths) == 11
    assert run.metrics.name == "metrics.jsonl"
