from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest
from nppac_agents.running.process import Process, start_of


@pytest.fixture
def child():
    """Another process, which waits until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    yield process
    process.kill()
    process.communicate()


def test_this_process_is_here_and_runs():
    this = Process.this()
    assert this.pid == os.getpid()
    assert this == Process.this()
    assert this.is_here
    assert this.is_running


def test_a_process_that_ended_does_not_run_even_if_nobody_waited_for_it(child):
    process = dataclasses.replace(Process.this(), pid=child.pid, started=start_of(child.pid))
    assert process.is_running
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.is_running
    child.wait()
    assert start_of(child.pid) is None
    assert not process.is_running


def test_another_process_with_the_same_id_is_another():
    assert not dataclasses.replace(Process.this(), started="long ago").is_running


@pytest.mark.parametrize("field", ["host", "machine"])
def test_another_machine_is_not_here(field):
    assert not dataclasses.replace(Process.this(), **{field: "elsewhere"}).is_here
