from __future__ import annotations

import os
import stat

import pytest
import torch
from nppac_priors.tensor_file import (
    DamagedFileError,
    TensorFileError,
    checksum,
    read_tensors,
    write_tensors,
)
from safetensors.torch import load_file, save_file

pytestmark = pytest.mark.medium

METADATA = {"format": "test", "version": "1", "note": '"checksum":"' + "a" * 64 + '"'}
KIND = {"format": "test", "version": "1"}


@pytest.fixture
def tensors():
    matrix = torch.arange(6.0).reshape(2, 3)
    return {
        "view": matrix[1],
        "transposed": matrix.T,
        "scalar": torch.tensor(7),
        "none": torch.empty(0, 3),
        "flags": torch.tensor([True, False, True]),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "half": torch.ones(3, dtype=torch.bfloat16),
        "double": torch.full((2,), 0.1, dtype=torch.float64),
    }


@pytest.fixture
def path(tmp_path, tensors):
    path = tmp_path / "file"
    write_tensors(path, tensors, METADATA)
    return path


def test_everything_comes_back_row_by_row(path, tensors):
    found, metadata = read_tensors(path, **KIND)
    assert METADATA.items() <= metadata.items()
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
        assert found[name].is_contiguous()


def test_what_was_read_is_aligned_and_outlives_the_file(path, tensors):
    found, _ = read_tensors(path, **KIND)
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)
    for name, tensor in tensors.items():
        assert torch.equal(found[name], tensor), name
        assert found[name].data_ptr() % 64 == 0, name


def test_any_reader_of_safetensors_opens_it(path, tensors):
    assert all(torch.equal(load_file(path)[name], tensors[name]) for name in tensors)


def test_the_order_of_entries_does_not_matter(path, tensors, tmp_path):
    other = tmp_path / "other"
    write_tensors(other, dict(reversed(tensors.items())), dict(reversed(METADATA.items())))
    assert other.read_bytes() == path.read_bytes()
    assert checksum(other) == checksum(path)


def test_a_flip_of_any_byte_is_noticed(path):
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(TensorFileError) as error:
            read_tensors(path, **KIND)
        assert isinstance(error.value, DamagedFileError), f"byte {position}: {error.value}"
        assert "\n" not in str(error.value)


def test_a_file_cut_anywhere_or_continued_is_damaged(path):
    whole = path.read_bytes()
    for content in [*(whole[:length] for length in range(len(whole))), whole + b"\0"]:
        path.write_bytes(content)
        with pytest.raises(DamagedFileError):
            read_tensors(path, **KIND)


def test_another_version_is_told_with_and_without_a_checksum(path, tensors):
    for version in ("0", "2"):
        write_tensors(path, tensors, METADATA | {"version": version})
        with pytest.raises(TensorFileError, match=rf"test of version '{version}', .* reads '1'"):
            read_tensors(path, **KIND)
    save_file({"x": torch.ones(1)}, path, metadata={"format": "test", "version": "0"})
    with pytest.raises(TensorFileError, match="test of version '0', this nppac reads '1'"):
        read_tensors(path, **KIND)
    save_file({"x": torch.ones(1)}, path, metadata=KIND)
    with pytest.raises(DamagedFileError, match="no checksum"):
        read_tensors(path, **KIND)


def test_what_does_not_read_back_never_replaces(path, tensors, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr("nppac_priors.tensor_file.checksum", lambda path: "another")
    with pytest.raises(OSError, match="does not read back"):
        write_tensors(path, {}, METADATA)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_type_that_cannot_be_stored_is_named(tmp_path):
    with pytest.raises(OSError, match=r"tensor 'x' of torch.complex64 cannot be stored"):
        write_tensors(tmp_path / "file", {"x": torch.zeros(1, dtype=torch.complex64)}, METADATA)


def test_a_missing_file_is_told_from_a_damaged_one(tmp_path):
    for read in (checksum, lambda path: read_tensors(path, **KIND)):
        with pytest.raises(TensorFileError, match="no such file") as error:
            read(tmp_path / "none")
        assert not isinstance(error.value, DamagedFileError)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_the_files_permissions_are_the_users(path, tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("file", "plain")]
    assert modes[0] == modes[1]
