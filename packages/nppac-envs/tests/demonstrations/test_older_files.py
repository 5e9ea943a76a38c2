"""Sets as they were written before an array came, or where nobody knows it: it is None."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import (
    Demonstrations,
    LerobotConfig,
    MinariConfig,
    NpzConfig,
    RobomimicConfig,
)
from nppac_envs.demonstrations.csv_file import CsvConfig
from nppac_envs.demonstrations.dataset import FIELDS
from nppac_envs.demonstrations.findings import Finding
from nppac_envs.demonstrations.first_download import (
    RECORD,
    check_first_download,
    keep_first_download,
)
from nppac_envs.demonstrations.lerobot_writer import write_lerobot
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.robomimic_writer import write_robomimic

NEEDED = ("states", "actions", "final_states", "episode_lengths")
OPTIONAL = tuple(name for name in FIELDS if name not in NEEDED)


def npz(demonstrations: Demonstrations, folder: Path) -> Any:
    demonstrations.save_npz(folder / "set.npz")
    return NpzConfig(path=folder / "set.npz")


def robomimic(demonstrations: Demonstrations, folder: Path) -> Any:
    write_robomimic(demonstrations, folder / "set.hdf5")
    return RobomimicConfig(path=folder / "set.hdf5")


def minari(demonstrations: Demonstrations, folder: Path) -> Any:
    write_minari(demonstrations, "arm/mine-v0", folder)
    return MinariConfig(id="arm/mine-v0", root=folder)


def lerobot(demonstrations: Demonstrations, folder: Path) -> Any:
    pytest.importorskip("pyarrow")
    write_lerobot(demonstrations, folder / "set")
    return LerobotConfig(path=folder / "set")


@pytest.fixture
def bare(walks) -> Demonstrations:
    """With what a set has to have, and nothing else."""
    arrays: dict[str, Any] = walks()
    return Demonstrations(**{name: arrays[name] for name in NEEDED})


@pytest.mark.medium
@pytest.mark.parametrize("write", [npz, robomimic, minari, lerobot])
def test_what_no_file_holds_is_none(
    bare: Demonstrations, tmp_path: Path, write: Callable[[Demonstrations, Path], Any]
):
    read = write(bare, tmp_path).load()
    assert {name: getattr(read, name) for name in OPTIONAL} == dict.fromkeys(OPTIONAL)
    for name in NEEDED:
        np.testing.assert_array_equal(getattr(read, name), getattr(bare, name))


def test_a_table_of_states_and_actions_alone_is_read(bare: Demonstrations, tmp_path: Path):
    """Each episode's last row is used up as its final state."""
    episodes = np.repeat(np.arange(bare.n_episodes), bare.episode_lengths)
    rows = np.column_stack([episodes, bare.states, bare.actions])
    names = ["episode", *(f"state_{n}" for n in range(3)), *(f"action_{n}" for n in range(2))]
    np.savetxt(tmp_path / "set.csv", rows, "%.9g", ",", header=",".join(names), comments="")
    read = CsvConfig(path=tmp_path / "set.csv").load()
    assert {name: getattr(read, name) for name in OPTIONAL} == dict.fromkeys(OPTIONAL)
    np.testing.assert_array_equal(read.episode_lengths, bare.episode_lengths - 1)


@pytest.mark.medium
def test_a_set_that_is_only_to_be_read_is_held_to_no_record(
    bare: Demonstrations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_minari(bare, "arm/mine-v0", tmp_path)
    folder = tmp_path / "arm" / "mine-v0" / "data"
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    told: list[Finding] = []
    assert MinariConfig(id="arm/mine-v0", download=True).load(told.append).hash == bare.hash
    assert told == []
    assert not (folder.parent / RECORD).exists()
    assert not check_first_download(folder, "here")
    monkeypatch.undo()
    assert keep_first_download(folder)
    assert check_first_download(folder, "here")
