from __future__ import annotations

from pathlib import Path

import minari
import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations, MinariConfig
from nppac_envs.demonstrations.minari_writer import write_minari


def test_what_is_written_reads_the_same(make_arrays, tmp_path: Path):
    demos = Demonstrations(**make_arrays(), terminations=np.array([True, False, True]))
    folder = write_minari(demos, "some/task/mine-v0", tmp_path / "root")
    loaded = MinariConfig(id="some/task/mine-v0", root=tmp_path / "root").load()
    assert loaded.hash == demos.hash
    assert folder == tmp_path / "root" / "some" / "task" / "mine-v0"
    assert not list((tmp_path / "root").glob(".minari-*"))


def test_unknown_rewards_stay_unknown(make_arrays, tmp_path: Path):
    arrays = make_arrays()
    del arrays["rewards"], arrays["successes"]
    demos = Demonstrations(**arrays)
    write_minari(demos, "mine-v1", tmp_path)
    assert MinariConfig(id="mine-v1", root=tmp_path).load().hash == demos.hash


def test_minari_itself_reads_it(make_arrays, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    arrays = make_arrays()
    write_minari(Demonstrations(**arrays), "door/mine-v0", tmp_path)
    dataset = minari.load_dataset("door/mine-v0")
    assert (dataset.total_episodes, dataset.total_steps) == (3, 8)
    first = dataset[0]
    np.testing.assert_array_equal(first.observations[:3], arrays["states"][:3])
    assert first.truncations.tolist() == [False, False, True]
    assert "door/mine-v0" in minari.list_local_datasets()


@pytest.mark.parametrize("name", ["door/mine", "../mine-v0", "mine-v0/", "a b-v0", ""])
def test_names_that_are_none(name: str, demonstrations, tmp_path: Path):
    with pytest.raises(DataError, match="no name of a Minari set"):
        write_minari(demonstrations, name, tmp_path)


def test_nothing_is_overwritten(demonstrations, tmp_path: Path):
    write_minari(demonstrations, "mine-v0", tmp_path)
    with pytest.raises(DataError, match="is there already"):
        write_minari(demonstrations.take(1), "mine-v0", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_minari(demonstrations, "file/mine-v0", tmp_path)
