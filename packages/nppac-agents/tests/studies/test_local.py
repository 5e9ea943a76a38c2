from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from nppac_agents.studies.executor import Task
from nppac_agents.studies.local import LocalExecutor, available_cores
from nppac_priors.errors import ConfigError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def task(tmp_path, *arguments):
    return Task("x", arguments or ("--help",), tmp_path / "x.log", tmp_path / "x", tmp_path)


def ended(job):
    deadline = time.monotonic() + 120
    while job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return job.poll()


def environment(job):
    file, data = Path(f"/proc/{job._process.pid}/environ"), ""
    while "OMP_NUM_THREADS" not in data and job.poll() is None:  # empty while it is being started
        data = file.read_bytes().decode()
    return dict(entry.split("=", 1) for entry in data.split("\0") if "=" in entry)


def test_there_are_as_many_places_as_cores_allow():
    with LocalExecutor().open() as workers:
        assert workers.places == len(available_cores())
    with LocalExecutor(processes=7).open() as workers:
        assert workers.places == 7
    too_many = len(available_cores()) + 1
    with pytest.raises(ConfigError, match=r"executor\.threads"):
        LocalExecutor(threads=too_many).open().__enter__()


def test_each_process_has_its_cores_threads_and_device(tmp_path):
    with LocalExecutor(processes=3, threads=1, gpus=("4", "6")).open() as workers:
        jobs, cores = [], available_cores()
        for _ in range(3):
            jobs.append(workers.start(task(tmp_path)))
            os.kill(jobs[-1]._process.pid, signal.SIGSTOP)  # before it can end: it is looked at
        for index, job in enumerate(jobs):
            pid = job._process.pid
            variables = environment(job)
            assert os.sched_getaffinity(pid) == {cores[index % len(cores)]}
            assert os.getsid(pid) == pid
            assert variables["CUDA_VISIBLE_DEVICES"] == ("4", "6", "4")[index]
            assert variables["OMP_NUM_THREADS"] == variables["MKL_NUM_THREADS"] == "1"
            os.kill(pid, signal.SIGCONT)
        assert [ended(job) for job in jobs] == [0, 0, 0]


def test_output_is_appended_and_the_exit_code_told(tmp_path):
    (tmp_path / "x.log").write_text("before\n")
    with LocalExecutor(processes=1).open() as workers:
        job = workers.start(task(tmp_path, "validate", str(tmp_path / "none.json")))
        assert ended(job) == 2
        assert (tmp_path / "x.log").read_text().startswith("before\nerror: ")


def test_a_place_is_free_again_once_its_process_ended(tmp_path):
    with LocalExecutor(processes=1).open() as workers:
        first = workers.start(task(tmp_path))
        first.stop()
        assert ended(first) in (-signal.SIGTERM, 0, 130)
        first.stop()
        second = workers.start(task(tmp_path))
        assert ended(second) == 0
