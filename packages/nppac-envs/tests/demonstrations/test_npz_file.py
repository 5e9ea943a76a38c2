from __future__ import annotations

import io
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nppac_envs import DataError
from nppac_envs.demonstrations.npz_file import read_npz, write_npz

ARRAYS = {"a": np.arange(12.0).reshape(3, 4), "b": np.array([True, False])}


def archive(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as out:
        for name, content in members:
            out.writestr(name, content)
    return file.getvalue()


def member(header: str, content: bytes = b"") -> bytes:
    """An npy file with a header as given."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def refused(content: bytes, tmp_path: Path) -> str:
    path = tmp_path / "set.npz"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_npz(path, ["a", "b"])
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_it_reads_what_numpy_writes(save, order, tmp_path: Path):
    save(tmp_path / "set.npz", a=np.asarray(ARRAYS["a"], ">f8", order=order), other=np.zeros(3))
    found = read_npz(tmp_path / "set.npz", ["a", "b"])
    assert list(found) == ["a"]
    np.testing.assert_array_equal(found["a"], ARRAYS["a"])


def test_numpy_reads_what_it_writes(tmp_path: Path):
    write_npz(tmp_path / "set.npz", ARRAYS)
    with np.load(tmp_path / "set.npz", allow_pickle=False) as found:
        assert sorted(found) == ["a", "b"]
        np.testing.assert_array_equal(found["a"], ARRAYS["a"], strict=True)


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch):
    path = tmp_path / "set.npz"
    write_npz(path, ARRAYS)
    before = path.read_bytes()

    def fail(file, **_):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(KeyboardInterrupt):
        write_npz(path, ARRAYS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_who_has_the_old_file_open_keeps_it(tmp_path: Path):
    path = tmp_path / "set.npz"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_npz(path, ARRAYS)
        assert reader.read() == b"old"
    assert list(read_npz(path, ["a"])) == ["a"]


def test_a_missing_folder_is_one_line(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be written"):
        write_npz(tmp_path / "nowhere" / "set.npz", ARRAYS)


def test_missing_and_foreign_files(tmp_path: Path):
    with pytest.raises(DataError, match="no such file"):
        read_npz(tmp_path / "nothing.npz", ["a"])
    with pytest.raises(DataError, match="is a folder"):
        read_npz(tmp_path, ["a"])
    assert "not a readable npz file" in refused(b"", tmp_path)
    assert "not a readable npz file" in refused(b"states,actions\n1,2\n", tmp_path)
    assert "not a readable npz file" in refused(pickle.dumps([1]), tmp_path)


def test_objects_are_refused_without_unpickling(tmp_path: Path):
    file = io.BytesIO()
    np.savez(file, a=np.array([{"x": 1}], dtype=object))
    assert "a holds object, not plain numbers" in refused(file.getvalue(), tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 39)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 39)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 39)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 400 + ",)}",
        "{'descr': '<U8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}" + " " * 20_000,
        "__import__('os').abort()",
        "[" * 5_000,
        "",
    ],
)
def test_headers_that_lie_are_refused(header: str, tmp_path: Path):
    refused(archive(("a.npy", member(header, bytes(8)))), tmp_path)


def test_a_header_that_declares_another_size_is_told_so(tmp_path: Path):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 39)}"
    message = refused(archive(("a.npy", member(header, bytes(8)))), tmp_path)
    assert "31200000000000 bytes, but 8 bytes are there" in message


def test_bombs_are_refused(tmp_path: Path, monkeypatch):
    big = member("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000,)}", bytes(10**6))
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        message = refused(archive(("a.npy", big), compression=method), tmp_path)
        assert "compressed in another way than numpy does" in message
    monkeypatch.setattr("nppac_envs.demonstrations.file_guard._UNFOLDED", 10**5)
    assert "its numbers take 4 MiB, over 100 times the file" in refused(
        archive(("a.npy", big), compression=zipfile.ZIP_DEFLATED), tmp_path
    )
    monkeypatch.setattr("nppac_envs.demonstrations.file_guard.MAX_BYTES", 2 * 10**6)
    assert "declares more than" in refused(archive(("a.npy", big)), tmp_path)


def test_two_arrays_of_one_name_are_refused(tmp_path: Path):
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}"
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive(*(("a.npy", member(header, value)) for value in (b"\0", b"\1")))
    assert "holds two arrays of one name" in refused(content, tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_truncated_file_is_never_read(data: st.DataObject):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.npz"
        write_npz(path, ARRAYS)
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        with pytest.raises(DataError) as caught:
            read_npz(path, ARRAYS)
    assert "\n" not in str(caught.value)


@pytest.mark.medium
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_changed_bytes_give_the_same_numbers_or_an_error(data: st.DataObject):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.npz"
        write_npz(path, ARRAYS)
        content = bytearray(path.read_bytes())
        for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1)):
            content[position] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        found, message = {}, ""
        try:
            found = read_npz(path, ARRAYS)
        except DataError as error:
            message = str(error)
    assert "\n" not in message
    for name, array in found.items():
        np.testing.assert_array_equal(array, ARRAYS[name], strict=True)
