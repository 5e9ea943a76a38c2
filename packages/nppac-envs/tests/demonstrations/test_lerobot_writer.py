from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from nppac_envs import DataError, Demonstrations, LerobotConfig
from nppac_envs.demonstrations.lerobot_writer import write_lerobot

parquet = pytest.importorskip("pyarrow.parquet")


def test_an_episode_has_one_frame_more_than_steps(demonstrations: Demonstrations, tmp_path: Path):
    write_lerobot(demonstrations, tmp_path / "set", fps=5)
    frames = parquet.read_table(tmp_path / "set/data/chunk-000/file-000.parquet")
    assert frames["episode_index"].to_pylist() == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2]
    assert frames["frame_index"].to_pylist() == [0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 4]
    assert frames["timestamp"].to_pylist()[:3] == [0.0, np.float32(0.2), np.float32(0.4)]
    assert frames["observation.state"].to_pylist()[3] == demonstrations.final_states[0].tolist()
    assert frames["action"].to_pylist()[3] == demonstrations.actions[2].tolist()
    assert [i for i, done in enumerate(frames["next.done"].to_pylist()) if done] == [3, 5, 10]


def test_the_metadata_say_what_is_there(demonstrations: Demonstrations, tmp_path: Path):
    write_lerobot(demonstrations, tmp_path / "set")
    meta = tmp_path / "set" / "meta"
    info = json.loads((meta / "info.json").read_text())
    assert (info["total_episodes"], info["total_frames"], info["fps"]) == (3, 11, 10)
    assert info["features"]["action"] == {"dtype": "float32", "shape": [2], "names": None}
    episodes = parquet.read_table(meta / "episodes/chunk-000/file-000.parquet").to_pydict()
    assert episodes["dataset_to_index"] == [4, 6, 11]
    tasks = parquet.read_table(meta / "tasks.parquet").to_pandas()
    assert list(tasks.index) == ["arrays"]
    stats = json.loads((meta / "stats.json").read_text())
    assert stats["action"]["max"] == demonstrations.actions.max(axis=0).tolist()


def test_a_set_without_rewards_comes_back_without(demonstrations: Demonstrations, tmp_path: Path):
    arrays = demonstrations.arrays()
    bare = Demonstrations(**{n: arrays[n] for n in arrays if n not in ("rewards", "successes")})
    write_lerobot(bare, tmp_path / "set")
    assert LerobotConfig(path=tmp_path / "set").load().hash == bare.hash


def test_a_folder_that_is_there_is_left_alone(demonstrations: Demonstrations, tmp_path: Path):
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match="is there already"):
        write_lerobot(demonstrations, tmp_path / "set")
    assert [*tmp_path.iterdir()] == [tmp_path / "set"]
