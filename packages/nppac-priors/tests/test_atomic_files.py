from __future__ import annotations

import errno
import json
import os

import pytest
from nppac_priors.atomic_files import finite, write_json


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

    monkeypatch.setattr("os.fsync" if call == "fsync" else "pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(path, {"old": False})
    assert json.loads(path.read_text()) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]
