import errno
import io
import os

import pytest
import torch
from nppac_agents.metrics_file import MetricsMark
from nppac_agents.running.checkpoint import (
    Checkpoint,
    CheckpointError,
    CheckpointFileError,
    DamagedCheckpointError,
    checkpoints,
)
from nppac_agents.running.identity import RunIdentity

IDENTITY = RunIdentity("a", "b", 3, None, "c")


def make(env_steps=5, updates=0, phase=0):
    shared = torch.arange(6.0)
    return Checkpoint(
        {
            "agent": {"a.b": shared, "view": shared[2:4], "transposed": shared.reshape(2, 3).T},
            "replay": {"rows": torch.ones(2, 3), "count": torch.tensor(7)},
        },
        {"phase": phase, "env_steps": env_steps, "updates": updates, "recent": [1.0, 2.5]},
        IDENTITY,
        MetricsMark(40, "ab"),
    )


def positions(folder):
    loaded = (Checkpoint.load(path).position for path in checkpoints(folder))
    return [tuple(p[key] for key in ("phase", "env_steps", "updates")) for p in loaded]


def test_everything_comes_back(tmp_path):
    original = make()
    restored = Checkpoint.load(original.save(tmp_path))
    assert restored.position == original.position
    assert restored.identity == IDENTITY
    assert restored.metrics == MetricsMark(40, "ab")
    for owner, tensors in original.tensors.items():
        assert restored.tensors[owner].keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert torch.equal(restored.tensors[owner][name], tensor)


def test_the_latest_two_are_kept(tmp_path):
    for env_steps in (5, 30, 900, 1000):
        make(env_steps).save(tmp_path)
    assert positions(tmp_path) == [(0, 900, 0), (0, 1000, 0)]


def test_checkpoints_without_environment_steps_are_told_apart(tmp_path):
    """Offline and in pretraining only the updates grow, between phases only the phase."""
    for phase, env_steps, updates in ((0, 0, 9), (0, 0, 10), (0, 0, 100), (1, 0, 100)):
        make(env_steps, updates, phase).save(tmp_path)
        assert positions(tmp_path)[-1] == (phase, env_steps, updates)
    assert positions(tmp_path) == [(0, 0, 100), (1, 0, 100)]


def test_those_of_a_time_that_a_resume_went_back_from_are_forgotten(tmp_path):
    for env_steps in (10, 20):
        make(env_steps).save(tmp_path)
    checkpoints(tmp_path)[-1].write_bytes(b"damaged")
    make(15).save(tmp_path)
    assert positions(tmp_path) == [(0, 10, 0), (0, 15, 0)]


def test_a_resume_forgets_what_a_kill_came_too_early_for(tmp_path):
    """The older ones, and what is half-written; a later one is left to the next checkpoint."""
    for env_steps in (10, 20, 30, 40):
        make(env_steps).save(tmp_path, kept=4)
    (tmp_path / ".half.partial").touch()
    make(30).forget_older(tmp_path)
    assert positions(tmp_path) == [(0, 20, 0), (0, 30, 0), (0, 40, 0)]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path, monkeypatch, step):
    make(1).save(tmp_path)

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(CheckpointError, match=r"cannot be written.*No space left"):
        make(2).save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert positions(tmp_path) == [(0, 1, 0)]


def killed_before(operation, folder):
    """Saves in a process that dies, as by SIGKILL, before its n-th operation on files."""
    left = [operation]

    def counted(function):
        def call(*args, **options):
            if not left[0]:
                os._exit(9)
            left[0] -= 1
            return function(*args, **options)

        return call

    child = os.fork()
    if not child:
        for name in ("fsync", "replace", "unlink"):
            setattr(os, name, counted(getattr(os, name)))
        opened = io.open
        io.open = counted(opened)
        make(3).save(folder)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that share their memory")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_kill_between_any_two_operations_loses_nothing(tmp_path):
    outcomes = []
    for operation in range(40):
        folder = tmp_path / str(operation)
        for env_steps in (1, 2):
            make(env_steps).save(folder)
        outcomes.append(killed_before(operation, folder))
        assert positions(folder) in [
            [(0, 1, 0), (0, 2, 0)],
            [(0, 1, 0), (0, 2, 0), (0, 3, 0)],
            [(0, 2, 0), (0, 3, 0)],
        ]
        make(4).save(folder)
        assert len(list(folder.iterdir())) == 2, "what the killed process left is gone"
        if outcomes[-1] == 0:
            break
    assert outcomes[-1] == 0
    assert len(outcomes) > 6
    assert set(outcomes[:-1]) == {9}


@pytest.mark.parametrize("damage", ["truncated", "text", "empty", "flipped"])
def test_a_damaged_file_is_a_one_line_error(tmp_path, damage):
    path = make().save(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "truncated": whole[:40],
            "text": b"no tensors",
            "empty": b"",
            "flipped": whole[:-2] + bytes([whole[-2] ^ 4]) + whole[-1:],
        }[damage]
    )
    with pytest.raises(DamagedCheckpointError, match="damaged") as error:
        Checkpoint.load(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_a_one_line_error(tmp_path):
    with pytest.raises(CheckpointFileError, match="no such file"):
        Checkpoint.load(tmp_path / "none.safetensors")


def test_another_format_or_version_is_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "step-000000001.safetensors"
    save_file({"x": torch.ones(1)}, path)
    with pytest.raises(CheckpointFileError, match="not a nppac-checkpoint"):
        Checkpoint.load(path)
    save_file({"x": torch.ones(1)}, path, {"format": "nppac-checkpoint", "version": "1"})
    with pytest.raises(CheckpointFileError, match="of version '1', this nppac reads '2'") as error:
        Checkpoint.load(path)
    assert not isinstance(error.value, DamagedCheckpointError)
    assert checkpoints(tmp_path) == [path], "an earlier version's files are not overlooked"
