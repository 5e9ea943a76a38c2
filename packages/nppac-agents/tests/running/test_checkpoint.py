import errno

import pytest
import torch
from nppac_agents.running import checkpoint as module
from nppac_agents.running.checkpoint import Checkpoint, CheckpointError, checkpoints


def make(env_steps=5):
    shared = torch.arange(6.0)
    return Checkpoint(
        {
            "agent": {"a.b": shared, "view": shared[2:4], "transposed": shared.reshape(2, 3).T},
            "replay": {"rows": torch.ones(2, 3), "count": torch.tensor(7)},
        },
        {"env_steps": env_steps, "recent": [1.0, 2.5]},
    )


def test_everything_comes_back(tmp_path):
    original = make()
    restored = Checkpoint.load(original.save(tmp_path))
    assert restored.position == original.position
    for owner, tensors in original.tensors.items():
        assert restored.tensors[owner].keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert torch.equal(restored.tensors[owner][name], tensor)


def test_the_latest_two_are_kept(tmp_path):
    for env_steps in (5, 900, 30, 1000):
        make(env_steps).save(tmp_path)
    assert [path.name for path in checkpoints(tmp_path)] == [
        "step-000000900.safetensors",
        "step-000001000.safetensors",
    ]


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    make(1).save(tmp_path)

    def fail(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "save_file", fail)
    with pytest.raises(CheckpointError, match=r"cannot be written.*No space left"):
        make(2).save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert Checkpoint.load(checkpoints(tmp_path)[0]).position["env_steps"] == 1


@pytest.mark.parametrize("damage", ["missing", "truncated", "text"])
def test_a_damaged_file_is_a_one_line_error(tmp_path, damage):
    path = make().save(tmp_path)
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:40] if damage == "truncated" else b"no tensors")
    with pytest.raises(CheckpointError, match="cannot be read") as error:
        Checkpoint.load(path)
    assert "\n" not in str(error.value)


def test_another_format_is_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "step-000000001.safetensors"
    save_file({"x": torch.ones(1)}, path)
    with pytest.raises(CheckpointError, match="is no nppac-checkpoint of version 1"):
        Checkpoint.load(path)
