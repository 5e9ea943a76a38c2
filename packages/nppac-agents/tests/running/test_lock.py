from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time

import pytest
from nppac_agents.running import lock as lock_module
from nppac_agents.running.lock import LockError, RunLock
from nppac_agents.running.process import Process

pytestmark = pytest.mark.medium

RACE = """
import sys, time
from pathlib import Path
from nppac_agents.running.lock import LockError, RunLock
lock = RunLock(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    lock.acquire()
    print("won", flush=True)
except LockError:
    print("lost", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.lock"


@pytest.fixture
def quick(monkeypatch):
    """Heartbeats as fast as a test wants them."""
    monkeypatch.setattr(lock_module, "HEARTBEAT", 0.01)


@pytest.fixture
def starters(path):
    """Processes that all wait to acquire the lock; `go` lets them, and returns what they say."""
    command = [sys.executable, "-c", RACE, str(path)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]

    def go() -> list[str]:
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        return sorted(process.stdout.readline().strip() for process in processes)

    yield go
    for process in processes:
        process.kill()
        process.communicate()


def owned_by(path, *, silent: float = 0.0, **changes) -> Process:
    """Writes the lock of another process, whose last sign of life is `silent` seconds old."""
    owner = dataclasses.replace(Process.this(), **changes)
    written = path.with_name("written")
    written.write_text(json.dumps(dataclasses.asdict(owner)))
    os.utime(written, (time.time() - silent,) * 2)
    written.replace(path)
    return owner


def owner_of(path) -> Process:
    return Process(**json.loads(path.read_text()))


def test_the_lock_names_its_owner_and_goes_when_released(path):
    lock = RunLock(path)
    lock.acquire()
    assert owner_of(path) == Process.this()
    assert lock.is_held()
    lock.release()
    assert not lock.is_held()
    assert list(path.parent.iterdir()) == []


def test_a_living_owner_on_this_machine_is_named_and_never_taken_over(path):
    owner = owned_by(path, silent=1e6)
    name = f"process {owner.pid} on {owner.host}"
    for take_over in (False, True):
        with pytest.raises(LockError) as error:
            RunLock(path).acquire(take_over=take_over)
        assert str(error.value) == (
            f"{path.parent}: in use by {name}; wait until it ends or stop it, or choose another "
            "output_dir"
        )
    assert owner_of(path) == owner


@pytest.mark.parametrize("changes", [{"pid": 2**22 + 1}, {"started": "before"}])
def test_a_dead_owner_on_this_machine_is_taken_over_at_once(path, changes):
    owned_by(path, **changes)
    lock = RunLock(path)
    lock.acquire()
    assert owner_of(path) == Process.this()
    lock.release()


@pytest.mark.parametrize("changes", [{"host": "elsewhere"}, {"machine": "another boot"}])
def test_an_owner_on_another_machine_is_taken_over_after_a_minute_of_silence(path, changes):
    owner = owned_by(path, silent=40, **changes)
    with pytest.raises(LockError) as error:
        RunLock(path).acquire()
    message = str(error.value)
    assert f"in use by process {owner.pid} on {owner.host}, whose last sign of life" in message
    assert 39 <= int(re.search(r"is (\d+) s old", message)[1]) < 55
    assert "--take-over" in message
    assert owner_of(path) == owner
    assert list(path.parent.iterdir()) == [path]
    owned_by(path, silent=61, **changes)
    lock = RunLock(path)
    lock.acquire()
    assert lock.is_held()
    lock.release()


def test_an_owner_on_another_machine_is_taken_over_on_request(path):
    owned_by(path, host="elsewhere")
    lock = RunLock(path)
    lock.acquire(take_over=True)
    assert owner_of(path) == Process.this()
    lock.release()


@pytest.mark.parametrize("content", ["", '{"host": "vm", "pi', "[]", '{"host": 1}', "null"])
def test_a_lock_whose_writer_was_killed_over_it_is_taken_over_at_once(path, content):
    path.write_text(content)
    lock = RunLock(path)
    lock.acquire()
    assert lock.is_held()
    lock.release()


@pytest.mark.parametrize("left", [False, True])
def test_a_full_disk_leaves_no_lock_behind(path, monkeypatch, left):
    if left:
        owned_by(path, started="before")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        RunLock(path).acquire()
    assert list(path.parent.iterdir()) == []


def test_without_kernel_locks_a_lock_without_a_name_has_to_be_silent(path, monkeypatch):
    def unsupported(*_):
        raise OSError("not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    path.write_text("")
    with pytest.raises(LockError, match="in use by another process, whose last sign"):
        RunLock(path).acquire()
    os.utime(path, (time.time() - 61,) * 2)
    lock = RunLock(path)
    lock.acquire()
    assert lock.is_held()
    lock.release()
    lock.acquire()
    assert lock.is_held()
    lock.release()


@pytest.mark.parametrize("left", [None, "dead", "empty"])
def test_of_several_that_start_at_once_exactly_one_wins(path, starters, left):
    if left == "dead":
        owned_by(path, started="before")
    elif left == "empty":
        path.write_text("")
    assert starters() == ["lost", "lost", "lost", "won"]


def test_a_lock_that_is_released_while_another_process_waits_for_it_is_made_anew(path, monkeypatch):
    path.write_text("")
    flock, waited = fcntl.flock, []

    def wait(*arguments):
        if not waited:
            path.unlink()
        waited.append(arguments)
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", wait)
    lock = RunLock(path)
    lock.acquire()
    assert lock.is_held()
    assert len(waited) == 2
    lock.release()


def test_the_owner_shows_that_it_lives(path, quick):
    lock = RunLock(path)
    lock.acquire()
    os.utime(path, (0, 0))
    wait_for(lambda: path.stat().st_mtime > time.time() - 60)
    lock.release()


@pytest.mark.parametrize("other", ["elsewhere", None])
def test_an_owner_notices_that_it_is_one_no_longer(path, quick, other):
    lock, noticed = RunLock(path), threading.Event()
    lock.acquire(on_loss=noticed.set)
    if other:
        owner = owned_by(path, host=other)
        message = f"taken over by process {owner.pid} on elsewhere; this process stops"
    else:
        path.unlink()
        message = "run.lock was removed, so that others may start there; this process stops"
    assert noticed.wait(20)
    assert lock.loss == f"{path.parent}: {message}"
    lock.release()
    assert path.exists() == bool(other), "what another process owns is not removed"


def test_nothing_is_noticed_while_the_lock_is_held(path, quick):
    lock, noticed = RunLock(path), threading.Event()
    lock.acquire(on_loss=noticed.set)
    assert not noticed.wait(0.1)
    lock.release()
    assert not noticed.wait(0.1)
    assert lock.loss == ""


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
