from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from nppac_priors.atomic_files import (
    finite,
    is_partial,
    partial_path,
    remove_partials,
    replacing,
    write_bytes,
    write_json,
)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "x.json"
    data = {"a": [1, 2.5, None, True, "ü"], "b": {"c": "line\nbreak"}}
    write_json(path, data)
    assert json.loads(path.read_text(encoding="utf-8")) == data
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def test_numbers_that_are_not_finite_become_null(tmp_path):
    data = {"a": float("nan"), "b": [float("inf"), (1.0, -float("inf"))], "c": 2}
    assert finite(data) == {"a": None, "b": [None, [1.0, None]], "c": 2}
    write_json(tmp_path / "x.json", data)
    assert json.loads((tmp_path / "x.json").read_text())["b"] == [None, [1.0, None]]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "x.json"
    write_json(path, {"old": True})

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"os.{call}", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(path, {"old": False})
    assert json.loads(path.read_text()) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_permissions_that_the_umask_gives(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "x", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_content_is_on_the_disk_before_the_file_is_replaced_and_the_folder_after(
    tmp_path, monkeypatch
):
    calls = []

    def fsync(descriptor, real=os.fsync):
        real(descriptor)
        calls.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)

    def replace(source, target, real=os.replace):
        real(source, target)
        calls.append("replace")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_bytes(tmp_path / "x", b"x")
    assert calls == [partial_path(tmp_path / "x").name, "replace", tmp_path.name]


def test_a_folder_that_cannot_be_synced_is_no_fault(tmp_path, monkeypatch):
    def fsync(descriptor, real=os.fsync):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_bytes(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new"


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "x").write_text("old")

    def write():
        with replacing(tmp_path / "x") as partial:
            partial.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("x", "old")]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    left = [".x.json.12.partial", ".a.b.c.12.partial"]
    kept = [".x.json.7.partial", "x.partial", ".x.partial", ".x.json.12", ".x.12.partial.txt"]
    for name in left + kept:
        (tmp_path / name).write_text("")
    (tmp_path / ".folder.12.partial").mkdir()
    remove_partials(tmp_path, lambda pid: pid == 7)
    assert {entry.name for entry in tmp_path.iterdir()} == {*kept, ".folder.12.partial"}
    remove_partials(tmp_path / "missing", lambda pid: False)
    assert is_partial(left[0])
    assert not is_partial("x.json")
    assert is_partial(partial_path(tmp_path / "x.json").name)
