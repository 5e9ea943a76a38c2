"""Files of another kind than their name says; `integration_tests/fuzz_files.py` makes more."""

from __future__ import annotations

from pathlib import Path

import pytest
from nppac_envs.cli import main


@pytest.mark.parametrize(
    "content", [b"", b"PK\x05\x06", b"\x80\x04N.", b"\x89HDF\r\n\x1a\n", b"a,b\n"]
)
@pytest.mark.parametrize("suffix", ["npz", "csv", "hdf5", "pickle", "npy"])
def test_the_command_says_one_line(tmp_path: Path, capsys, content: bytes, suffix: str):
    path = tmp_path / f"broken.{suffix}"
    path.write_bytes(content)
    assert main(["inspect", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("error: ")
