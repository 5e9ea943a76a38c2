import errno
import os
import threading

import pytest
import torch
from nppac_agents.metrics_file import MetricsMark
from nppac_agents.running.checkpoint import Checkpoint, CheckpointError, checkpoints
from nppac_agents.running.checkpoint_writer import CheckpointWriter, copied
from nppac_agents.running.identity import RunIdentity

PATIENCE = 60.0


def make(updates, values=None):
    return Checkpoint(
        {"agent": {"weights": torch.ones(3) if values is None else values}},
        {"phase": 0, "env_steps": 0, "updates": updates},
        RunIdentity("a", "b", 3, None, "c"),
        MetricsMark(40, "ab"),
    )


@pytest.fixture
def writer():
    writer = CheckpointWriter()
    yield writer
    writer.close()


@pytest.fixture
def disk(monkeypatch):
    """A disk that takes nothing before it is told to."""
    ready = threading.Event()
    fsync = os.fsync

    def slow(descriptor):
        assert ready.wait(PATIENCE)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    yield ready
    ready.set()


def test_learning_goes_on_while_a_checkpoint_is_written(writer, disk, tmp_path):
    writer.save(make(1), tmp_path)
    assert not checkpoints(tmp_path)
    disk.set()
    writer.wait()
    assert len(checkpoints(tmp_path)) == 1


def test_the_next_one_waits_for_the_one_before(writer, disk, tmp_path):
    writer.save(make(1), tmp_path)
    second = threading.Thread(target=writer.save, args=(make(2), tmp_path))
    second.start()
    second.join(0.2)
    assert second.is_alive()
    disk.set()
    second.join(PATIENCE)
    writer.wait()
    assert [Checkpoint.load(path).position["updates"] for path in checkpoints(tmp_path)] == [1, 2]


def test_what_is_copied_does_not_change_with_what_learns(writer, disk, tmp_path):
    weights = torch.zeros(3, requires_grad=True)
    writer.save(make(1, copied({"weights": weights})["weights"]), tmp_path)
    with torch.no_grad():
        weights.add_(1)
    disk.set()
    writer.wait()
    saved = Checkpoint.load(checkpoints(tmp_path)[0]).tensors["agent"]["weights"]
    assert torch.equal(saved, torch.zeros(3))


@pytest.mark.parametrize("then", ["wait", "save"])
def test_a_full_disk_is_told_at_the_next_occasion(writer, tmp_path, monkeypatch, then):
    writer.save(make(1), tmp_path)
    writer.wait()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    writer.save(make(2), tmp_path)
    with pytest.raises(CheckpointError, match=r"cannot be written.*No space left"):
        writer.wait() if then == "wait" else writer.save(make(3), tmp_path)
    assert [Checkpoint.load(path).position["updates"] for path in checkpoints(tmp_path)] == [1]


def test_closing_waits(writer, disk, tmp_path):
    writer.save(make(1), tmp_path)
    threading.Timer(0.1, disk.set).start()
    assert writer.close() is None
    assert len(checkpoints(tmp_path)) == 1


def test_closing_tells_what_nobody_was_told(writer, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    writer.save(make(1), tmp_path)
    assert "No space left" in str(writer.close())
    assert writer.close() is None
