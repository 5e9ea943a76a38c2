from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nppac_envs import DataError
from nppac_envs.demonstrations.writing import complete_file, complete_folder


def interrupted(writer: Any) -> None:
    """Write half of something, and fail."""
    with writer as temporary:
        (temporary / "half" if temporary.is_dir() else temporary).write_text("half")
        raise ZeroDivisionError


def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path):
    (tmp_path / "set.npz").write_text("old")
    with pytest.raises(ZeroDivisionError):
        interrupted(complete_file(tmp_path / "set.npz"))
    with pytest.raises(ZeroDivisionError):
        interrupted(complete_folder(tmp_path / "set"))
    assert [path.name for path in tmp_path.iterdir()] == ["set.npz"]
    assert (tmp_path / "set.npz").read_text() == "old"


def test_a_relative_file_that_cannot_be_written_names_the_folder_it_would_be_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"no/set.npz: cannot be written in {tmp_path} "):
        interrupted(complete_file(Path("no/set.npz")))


def test_the_home_folder_stands_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with complete_file(Path("~/set.npz")) as temporary:
        temporary.write_text("new")
    with complete_folder(Path("~/a/set")) as temporary:
        (temporary / "file").write_text("new")
    assert (tmp_path / "set.npz").read_text() == (tmp_path / "a" / "set" / "file").read_text()
