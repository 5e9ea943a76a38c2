from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running import lock as lock_module
from nppac_agents.running.interruption import Interrupted, Interruption, interruptible
from nppac_agents.running.lock import LockError
from nppac_agents.running.ownership import own_run_directory
from nppac_agents.running.process import Process
from nppac_agents.running.run_directory import RunDirectory
from nppac_priors.errors import ConfigError, DataError

pytestmark = pytest.mark.medium

OWNER = """
import json, sys
from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.ownership import own_run_directory
config = ExperimentConfig.model_validate(json.loads(sys.argv[1]))
with own_run_directory(config, resume=False, take_over=False) as run:
    print("owns", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def config(experiment, tmp_path) -> ExperimentConfig:
    data = {"output_dir": str(tmp_path / "runs" / "x"), **experiment}
    return ExperimentConfig.model_validate(data)


@pytest.fixture
def path(config) -> Path:
    return Path(config.output_dir)


@pytest.fixture
def other_run(config):
    """A run in another process that has only begun."""
    command = [sys.executable, "-c", OWNER, config.model_dump_json(by_alias=True)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout.readline() == "owns\n"
    yield process
    process.kill()
    process.communicate()


def own(config, *, resume=False, take_over=False):
    return own_run_directory(config, resume=resume, take_over=take_over)


def fail(config, error, *, resume=False, files=(), lock=None):
    """A run that writes files, or another lock, and then fails."""
    with own(config, resume=resume) as run:
        for name in files:
            (run.path / name).write_text("x")
        if lock:
            run.lock.write_text(lock)
        raise error


def names(path: Path) -> set[str]:
    return {str(entry.relative_to(path)) for entry in path.rglob("*")}


def test_a_run_owns_its_directory_to_its_end(config, path):
    with own(config) as run:
        assert run.path == path
        assert names(path) == {"run.lock", "config.json", "checkpoints"}
        assert json.loads(run.lock.read_text())["pid"] == os.getpid()
    assert names(path) == {"config.json", "checkpoints"}
    with own(config, resume=True) as run:
        assert run.lock.exists()
    assert names(path) == {"config.json", "checkpoints"}


def test_a_start_that_fails_at_once_leaves_nothing(config, path):
    with pytest.raises(DataError):
        fail(config, DataError("no demonstrations"), files=["environment.json"])
    assert not path.exists()
    with pytest.raises(DataError):
        fail(config, DataError("no demonstrations"), resume=True)
    assert not path.exists()


@pytest.mark.parametrize("resume", [False, True])
def test_an_empty_folder_of_the_user_stays(config, path, resume):
    path.mkdir(parents=True)
    with pytest.raises(DataError):
        fail(config, DataError("no demonstrations"), resume=resume)
    assert list(path.iterdir()) == []


def test_what_the_user_put_there_stays(config, path):
    with pytest.raises(DataError):
        fail(config, DataError("no demonstrations"), files=["notes.txt"])
    assert names(path) == {"notes.txt"}


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_something_else_is_left_alone(config, path, resume):
    path.mkdir(parents=True)
    (path / "environment.json").write_text("mine")
    with pytest.raises(ConfigError), own(config, resume=resume):
        pass
    assert names(path) == {"environment.json"}


@pytest.mark.parametrize("error", [ConfigError("no card"), KeyboardInterrupt(), ValueError()])
def test_a_resume_that_fails_removes_nothing(config, path, error):
    with own(config) as run:
        run.write_environment({})
    (path / "notes.txt").write_text("mine")
    before = names(path)
    with pytest.raises((type(error), Interrupted)):
        fail(config, error, resume=True)
    assert names(path) == before


def test_a_run_beside_a_living_one_is_refused(config, path, other_run):
    before = names(path)
    for resume in (False, True):
        with pytest.raises(LockError, match=f"in use by process {other_run.pid} on "):
            fail(config, KeyboardInterrupt(), resume=resume)
    assert names(path) == before
    other_run.kill()
    os.waitid(os.P_PID, other_run.pid, os.WEXITED | os.WNOWAIT)
    with own(config, resume=True) as run:
        assert json.loads(run.lock.read_text())["pid"] == os.getpid()


@pytest.mark.parametrize("learning", [False, True])
def test_a_run_that_was_taken_over_stops_and_removes_nothing(config, path, monkeypatch, learning):
    monkeypatch.setattr(lock_module, "HEARTBEAT", 0.01)
    other = dataclasses.replace(Process.this(), host="elsewhere")

    def run():
        with own(config) as run, Interruption() if learning else contextlib.nullcontext():
            (path / "new.lock").write_text(json.dumps(dataclasses.asdict(other)))
            (path / "new.lock").replace(run.lock)
            for _ in range(2000):
                time.sleep(0.01)

    with interruptible(), pytest.raises(LockError) as error:
        run()
    assert str(error.value) == (
        f"{path}: taken over by process {os.getpid()} on elsewhere; this process stops"
    )
    assert names(path) == {"run.lock", "config.json", "checkpoints"}


def test_a_run_that_fails_before_it_notices_removes_nothing_either(config, path):
    other = dataclasses.replace(Process.this(), host="elsewhere")
    with pytest.raises(DataError):
        fail(config, DataError("no demonstrations"), lock=json.dumps(dataclasses.asdict(other)))
    assert names(path) == {"run.lock", "config.json", "checkpoints"}


def test_what_a_kill_left_in_the_making_is_removed_at_the_next_start(config, path):
    with own(config):
        pass
    (path / f".summary.json.{2**22 + 1}.partial").write_text("{")
    with own(config, resume=True):
        pass
    assert names(path) == {"config.json", "checkpoints"}


def killed_at(operation: int, config: ExperimentConfig) -> bool:
    """Starts a run in a copy of this process that kills itself before so many file operations.

    Returns:
        Whether it was killed; otherwise it came to the end before.
    """
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal count
            changes = event.startswith(("os.", "fcntl.")) or event == "open"
            if changes and (event == "fcntl.flock" or "runs" in str(arguments[0])):
                count += 1
                if count > operation:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            with own(config) as run:
                run.write_environment({"python": "3"})
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_whenever_a_start_is_killed_another_start_or_a_resume_goes_on(config, path):
    operation, resumed = 0, 0
    while killed_at(operation, config):
        resume = (path / "config.json").exists()
        resumed += resume
        with own(config, resume=resume) as run:
            assert run.config() == config
            assert names(path) - {"environment.json"} == {"run.lock", "config.json", "checkpoints"}
        assert not (path / "run.lock").exists()
        shutil.rmtree(path.parent)
        operation += 1
    assert 0 < resumed < operation
    assert operation > 10
    assert (path / "environment.json").exists()
    assert RunDirectory(path).config() == config
