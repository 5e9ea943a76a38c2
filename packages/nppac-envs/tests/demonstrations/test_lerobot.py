from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nppac_envs import DataError, LerobotConfig
from nppac_envs.demonstrations.lerobot import LerobotFields

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402


def frames(lengths: tuple[int, ...] = (3, 2), first: int = 0) -> dict[str, Any]:
    owner = np.repeat(np.arange(first, first + len(lengths)), lengths)
    steps = np.concatenate([np.arange(length) for length in lengths])
    return {
        "observation.state": [[10.0 * e + t, 0.0] for e, t in zip(owner, steps, strict=True)],
        "action": [[90.0 * (t % 3 - 1)] for t in steps],
        "next.reward": (steps == 1).astype(np.float32),
        "next.success": steps == 1,
        "episode_index": owner,
        "frame_index": steps,
    }


def write(folder: Path, tables: list[dict[str, Any]], **info: int) -> LerobotConfig:
    (folder / "meta").mkdir()
    (folder / "data" / "chunk-000").mkdir(parents=True)
    rows = sum(len(table["frame_index"]) for table in tables)
    episodes = len({int(i) for table in tables for i in table["episode_index"]})
    totals = {"total_episodes": episodes, "total_frames": rows} | info
    (folder / "meta" / "info.json").write_text(json.dumps(totals))
    for number, table in enumerate(tables):
        path = folder / "data" / "chunk-000" / f"file-{number:03}.parquet"
        parquet.write_table(pa.table(table), path)
    return LerobotConfig(path=folder, action_range=(-90, 90))


def test_frames_become_episodes(tmp_path: Path):
    loaded = write(tmp_path, [frames((3,)), frames((2,), first=1)]).load()
    assert loaded.states[:, 0].tolist() == [0, 1, 10]
    assert loaded.final_states[:, 0].tolist() == [2, 11]
    assert loaded.actions[:, 0].tolist() == [-1, 0, -1]
    assert loaded.successes.tolist() == [False, True, True], "of the last frame, too"
    assert loaded.rewards.tolist() == [0, 1, 0]


def test_a_set_is_looked_for_as_it_is_read(tmp_path: Path):
    config = LerobotConfig(path=tmp_path)
    for look in (LerobotConfig.load, LerobotConfig.require_files):
        with pytest.raises(DataError, match="there is no parquet file under"):
            look(config)
    write(tmp_path, [frames()])
    config.require_files()


def test_frames_in_any_order(tmp_path: Path):
    table = {name: np.array(column)[::-1] for name, column in frames().items()}
    shuffled = {name: column.tolist() for name, column in table.items()}
    assert write(tmp_path, [shuffled]).load().states[:, 0].tolist() == [0, 1, 10]


def test_fixed_size_vectors(tmp_path: Path):
    table = frames()
    flat = pa.array(np.ravel(table["observation.state"]))
    table["observation.state"] = pa.FixedSizeListArray.from_arrays(flat, 2)
    assert write(tmp_path, [table]).load().states[:, 0].tolist() == [0, 1, 10]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": None}, "has no column 'action'"),
        ({"action": [[1.0], [1.0, 2.0], [1.0], [1.0], [1.0]]}, "vectors of one size"),
        ({"action": [[1.0], None, [1.0], [1.0], [1.0]]}, "1 missing values"),
        ({"action": [["a"]] * 5}, "actions holds"),
        ({"frame_index": [0, 1, 1, 0, 1]}, "episode 0 lacks or repeats frame 2"),
        ({"next.success": [0, 2, 0, 0, 0]}, "must hold true and false"),
        ({"observation.state": [[np.nan, 0.0]] * 5}, "not finite"),
    ],
)
def test_broken_columns_are_one_line(tmp_path: Path, change: dict[str, Any], message: str):
    table = {name: column for name, column in (frames() | change).items() if column is not None}
    with pytest.raises(DataError, match=message) as caught:
        write(tmp_path, [table]).load()
    assert "\n" not in str(caught.value)


def test_a_set_in_part_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"holds 2 episodes and 5 frames, .* says 3 and"):
        write(tmp_path, [frames()], total_episodes=3).load()


def test_what_is_not_there(tmp_path: Path):
    with pytest.raises(DataError, match="no parquet file"):
        LerobotConfig(path=tmp_path).load()
    config = write(tmp_path, [frames()])
    (tmp_path / "meta" / "info.json").write_text("[]")
    with pytest.raises(DataError, match="holds no JSON object"):
        config.load()


def test_rewards_that_some_frames_lack_can_be_dropped(tmp_path: Path):
    table = frames() | {"next.reward": [None, 1.0, 0.0, None, 0.0]}
    config = write(tmp_path, [table])
    with pytest.raises(DataError, match="rewards is not finite") as caught:
        config.load()
    assert "--drop-rewards" in caught.value.in_options()
    assert config.model_copy(update={"drop_rewards": True}).load().rewards is None


def test_a_renamed_column_has_to_be_there(tmp_path: Path):
    write(tmp_path, [frames()])
    fields = LerobotFields(successes="won")
    with pytest.raises(DataError, match=r"no column 'won' \(successes\); it has obs") as caught:
        LerobotConfig(path=tmp_path, fields=fields).load()
    assert caught.value.in_options().endswith("--map successes=NAME")


@pytest.mark.parametrize("keep", [0, 4, 300, -1])
def test_a_truncated_file_is_one_line(tmp_path: Path, keep: int):
    config = write(tmp_path, [frames()])
    path = next(tmp_path.rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="cannot be read") as caught:
        config.load()
    assert "\n" not in str(caught.value)


def several(tmp_path: Path, **info: Any) -> Path:
    """The state in two columns, an image's path and a clock that stops for three seconds."""
    table = frames((4, 4))
    columns = table | {
        "observation.environment_state": [[float(i)] for i in range(8)],
        "observation.image": [f"{i}.png" for i in range(8)],
        "timestamp": [0.1 * t + 3.0 * (t > 1) for t in table["frame_index"]],
    }
    write(tmp_path, [columns], **({"fps": 10} | info))
    return tmp_path


def test_a_state_in_several_columns(tmp_path: Path):
    folder = several(tmp_path)
    names = "observation.environment_state,observation.state"
    fields = LerobotFields(states=names)
    loaded = LerobotConfig(path=folder, fields=fields, action_range=(-90, 90)).load()
    assert loaded.states[:4].tolist() == [[0, 0, 0], [1, 1, 0], [2, 2, 0], [4, 10, 0]]
    with pytest.raises(
        DataError, match=r"has no column 'effort' \(states\); it has observation"
    ) as e:
        LerobotConfig(path=folder, fields=LerobotFields(states="effort")).load()
    assert e.value.in_options().endswith("with commas: --map states=NAME,NAME")


def test_columns_that_are_left_out_and_holes_in_time_are_named(tmp_path: Path):
    """The columns of what is no vector of numbers are no part of a state."""
    folder = several(tmp_path)
    left_out, holes = LerobotConfig(path=folder).remarks()
    assert left_out.text.endswith("state: observation.environment_state")
    assert "2 steps do not take 0.1" in holes.text
    assert "episode 0, step 1 (3.1)" in holes.text
    assert holes.advice == "begin a new episode after each hole: --cut 0:1,1:1"
    (holes,) = LerobotConfig(
        path=folder,
        exclude=(1,),
        fields=LerobotFields(states="observation.state,observation.environment_state"),
    ).remarks()
    assert "1 steps do not take" in holes.text


def test_a_steady_clock_has_no_holes(tmp_path: Path):
    table = frames((4, 4))
    clock = pa.array([0.1 * t for t in table["frame_index"]], pa.float32())
    assert not [*write(tmp_path, [table | {"timestamp": clock}], fps=10).remarks()]


def test_large_lists(tmp_path: Path):
    table = frames()
    table["observation.state"] = pa.array(table["observation.state"], pa.large_list(pa.float32()))
    assert write(tmp_path, [table]).load().states[:, 0].tolist() == [0, 1, 10]
