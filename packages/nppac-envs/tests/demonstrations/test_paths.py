"""A path means the same wherever a user writes it: `~` is home, else it starts where they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations, MinariConfig
from nppac_envs.demonstrations.lerobot_writer import write_lerobot
from nppac_envs.demonstrations.locations import locate
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.robomimic_writer import write_robomimic


def write(name: str, demonstrations: Demonstrations) -> None:
    """A set by the ending of its name, written with `~` in its path."""
    path = Path("~") / name
    if name == "set.csv":
        rows = [f"{e},{e},0.5" for e in (0, 0, 1, 1)]
        path.expanduser().write_text("\n".join(["episode,state,action", *rows]))
    elif name == "flat.hdf5":
        with h5py.File(path.expanduser(), "w") as file:
            file["observations"], file["actions"] = np.zeros((4, 2)), np.zeros((4, 1))
            file["timeouts"] = [False, True, False, True]
    elif name == "set.hdf5":
        write_robomimic(demonstrations, path)
    elif name == "robot":
        write_lerobot(demonstrations, path)
    else:
        demonstrations.save_npz(path)


@pytest.mark.parametrize("name", ["set.npz", "set.csv", "flat.hdf5", "set.hdf5", "robot"])
def test_every_source_reads_from_home_and_from_here(home, demonstrations, name):
    if name == "robot":
        pytest.importorskip("pyarrow")
    write(name, demonstrations)
    at_home = locate(f"~/{name}")
    shutil.move(home / name, name)
    here = locate(name)
    assert at_home.source == here.source
    with pytest.raises(DataError):
        at_home.load()
    shutil.copytree(name, home / name) if name == "robot" else shutil.copy(name, home / name)
    assert at_home.load().hash == here.load().hash


@pytest.mark.parametrize("source", ["npz", "csv", "d4rl", "robomimic", "dapg", "awac", "lerobot"])
def test_what_is_missing_is_told_with_the_folder_that_was_looked_in(home, source, tmp_path):
    with pytest.raises(DataError, match=str(tmp_path / "here")):
        locate("sets/none", source=source).load()


def test_minari_sets_below_home_and_what_is_looked_for_where(home, demonstrations, monkeypatch):
    write_minari(demonstrations, "arm/mine-v0", Path("~/sets"))
    config = MinariConfig(id="arm/mine-v0", root="~/sets")
    assert config.load().hash == demonstrations.hash
    monkeypatch.setenv("MINARI_DATASETS_PATH", "~/sets")
    assert MinariConfig(id="arm/mine-v0").load().hash == demonstrations.hash
    with pytest.raises(DataError, match=f"no Minari set at {Path.cwd()}/sets/arm"):
        MinariConfig(id="arm/mine-v0", root="sets").load()
