from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from nppac_agents.running.lock import living_owner
from nppac_agents.studies import remote_run, run_process
from nppac_agents.studies.executor import Task
from nppac_agents.studies.remote_run import RemoteRun
from nppac_agents.studies.slurm import SlurmRun

OWNER = """
import pathlib, signal, sys, time
from nppac_agents.running.lock import RunLock
lock = RunLock(pathlib.Path(sys.argv[1]))
lock.acquire()
print(flush=True)
try:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.stdin.read()
except KeyboardInterrupt:
    pass
lock.release()
"""


@pytest.fixture
def run_of(tmp_path, monkeypatch):
    """A remote run whose process is a script in place of `nppac-run`."""
    monkeypatch.setattr(remote_run, "_POLL", 0.01)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()

    def make(script="", kind=RemoteRun):
        def start(arguments, log, threads, *, folder):
            with log.open("ab") as output:
                return subprocess.Popen(
                    [sys.executable, "-c", script, *arguments], stdout=output, cwd=folder
                )

        monkeypatch.setattr(remote_run, "start_process", start)
        task = Task("x", ("a", "b"), Path("x.log"), Path("run"), tmp_path)
        return kind.of(task, 1)

    return make


@contextlib.contextmanager
def owner(lock):
    """Another process that owns the run directory until it is asked to stop."""
    argv = [sys.executable, "-c", OWNER, str(lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def later(work):
    thread = threading.Timer(0.3, work)
    thread.start()


def test_it_is_the_process_of_its_arguments_in_its_folder(run_of, tmp_path, monkeypatch):
    run = run_of("import os, sys; print(os.getcwd(), *sys.argv[1:]); sys.exit(7)")
    monkeypatch.chdir("/")
    assert run() == 7
    assert (tmp_path / "x.log").read_text().split() == [str(tmp_path), "a", "b"]


def test_a_stop_file_ends_the_process_as_ctrl_c_does(run_of):
    script = "import signal, sys, time\n"
    script += "signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\ntime.sleep(60)"
    run = run_of(script)
    later(run.stop_file.touch)
    start = time.monotonic()
    assert run() in (130, -15)
    assert time.monotonic() - start < 30


def test_an_old_stop_file_stops_nothing_and_a_new_one_starts_nothing(run_of, tmp_path):
    (tmp_path / "x.stop").touch()
    run = run_of("open('started', 'w')")
    assert (run(), (tmp_path / "started").exists()) == (0, True)
    (tmp_path / "started").unlink()
    run.stop_file.touch()
    assert (run(), (tmp_path / "started").exists()) == (130, False)


@pytest.mark.medium
def test_whoever_comes_second_waits_and_starts_nothing_where_all_is_done(run_of, tmp_path):
    run = run_of("open('started', 'w')")
    with owner(tmp_path / "run" / "run.lock") as other:

        def finish():
            for name in ("summary.json", "report.html"):
                (tmp_path / "run" / name).touch()
            other.stdin.close()

        later(finish)
        assert run() == 0
    assert not (tmp_path / "started").exists()


@pytest.mark.medium
def test_whoever_waits_hands_on_the_wish_to_stop(run_of, tmp_path):
    run = run_of("open('started', 'w')")
    with owner(tmp_path / "run" / "run.lock") as other:
        later(run.stop_file.touch)
        assert run() == 130
        assert other.wait(10) == 0
    assert living_owner(tmp_path / "run" / "run.lock") is None
    assert not (tmp_path / "started").exists()


def test_a_job_leaves_its_exit_code_in_a_file(run_of, tmp_path):
    run = run_of("import sys; sys.exit(3)", SlurmRun)
    assert run.exit_code() is None
    assert (run(), run.exit_code()) == (3, 3)
    assert json.loads((tmp_path / "x.exit").read_text()) == {"exit_code": 3}


def test_a_process_hears_no_warning_of_the_scheduler(tmp_path, monkeypatch):
    """Which Slurm sends to all processes of a job: the run would die of it."""
    script = "import os, signal; os.kill(os.getpid(), signal.SIGUSR2); print('alive')"
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{script}"\n')
    os.chmod(tmp_path / "python", 0o755)
    monkeypatch.setattr(run_process.sys, "executable", str(tmp_path / "python"))
    process = run_process.start_process([], tmp_path / "x.log", 1)
    assert process.wait(60) == 0
    assert (tmp_path / "x.log").read_text() == "alive\n"
