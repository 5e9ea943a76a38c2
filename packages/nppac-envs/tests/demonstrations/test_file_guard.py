from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from nppac_envs import (
    AwacConfig,
    CsvConfig,
    D4rlConfig,
    DapgConfig,
    DataError,
    DemonstrationsConfig,
    LerobotConfig,
    MinariConfig,
    NpzConfig,
)
from nppac_envs.demonstrations.file_guard import check_unfolded, read_json_object, regular_file
from nppac_envs.demonstrations.minari_writer import write_minari

pytestmark = pytest.mark.medium

SINGLE = [NpzConfig, CsvConfig, D4rlConfig, DapgConfig, AwacConfig]


def refusal(config: DemonstrationsConfig) -> str:
    with pytest.raises(DataError) as caught:
        config.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("source", SINGLE)
def test_only_files_are_read(tmp_path: Path, source: Callable[..., DemonstrationsConfig]):
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "pipe", "is a pipe or a device, not a file"),
        (Path("/dev/zero"), "is a pipe or a device, not a file"),
        (tmp_path, "is a folder, not a file"),
        (tmp_path / "none", "no such file"),
        (Path("a\0b"), "cannot be read"),
        (Path("x" * 5000), "cannot be read"),
    ):
        assert message in refusal(source(path=path))


@pytest.mark.parametrize("source", SINGLE)
def test_a_missing_relative_path_tells_the_folder(
    tmp_path: Path, monkeypatch, source: Callable[..., DemonstrationsConfig]
):
    monkeypatch.chdir(tmp_path)
    assert refusal(source(path=Path("none.x"))).endswith(f"none.x: no such file in {tmp_path}")


@pytest.mark.parametrize("source", SINGLE)
def test_a_file_beyond_the_limit_is_not_read(
    tmp_path: Path, source: Callable[..., DemonstrationsConfig]
):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**32 + 1)
    assert "is larger than 4 GiB" in refusal(source(path=tmp_path / "sparse"))


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a").touch()
    assert regular_file(Path("~/a"), "a") == tmp_path / "a"


def test_pipes_inside_a_folder_are_refused_too(tmp_path: Path, demonstrations):
    pytest.importorskip("pyarrow")
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data" / "a.parquet")
    assert "is a pipe" in refusal(LerobotConfig(path=tmp_path))
    folder = write_minari(demonstrations, "a-v0", tmp_path) / "data"
    (folder / "main_data.hdf5").unlink()
    os.mkfifo(folder / "main_data.hdf5")
    assert "is a pipe" in refusal(MinariConfig(id="a-v0", root=tmp_path))
    (folder / "metadata.json").unlink()
    os.mkfifo(folder / "metadata.json")
    assert "there is no Minari set" in refusal(MinariConfig(id="a-v0", root=tmp_path))


def test_numbers_may_unfold_to_64_mib_or_a_hundred_times_the_file(tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(bytes(2**20))
    for size in (0, 64 * 2**20, 100 * 2**20):
        check_unfolded(size, path, "a")
    with pytest.raises(DataError, match="a: its numbers take 101 MiB, over 100 times the file"):
        check_unfolded(101 * 2**20, path, "a")
    with pytest.raises(DataError, match="a: declares more than 4 GiB"):
        check_unfolded(2**32 + 1, path, "a")


def test_an_npz_of_zeros_is_not_unfolded(tmp_path: Path):
    """Each of 40 MB of int8 in 40 kB, which would become 320 MB of float32."""
    zeros = np.zeros((2**20, 40), np.int8)
    np.savez_compressed(tmp_path / "a.npz", states=zeros, actions=zeros, episode_lengths=[2**20])
    assert (tmp_path / "a.npz").stat().st_size < 10**5
    assert "its numbers take 320 MiB" in refusal(NpzConfig(path=tmp_path / "a.npz"))


def test_an_hdf5_of_zeros_is_not_unfolded(tmp_path: Path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        for name in ("observations", "actions"):
            zeros = np.zeros((2**20, 40), np.int8)
            file.create_dataset(name, data=zeros, chunks=(2**16, 40), compression="gzip")
    assert "its numbers take 320 MiB" in refusal(D4rlConfig(path=tmp_path / "a.hdf5"))


def test_an_hdf5_without_its_chunks_is_not_filled_in(tmp_path: Path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        for name in ("observations", "actions"):
            file.create_dataset(name, (10**10, 4), "f8", chunks=(1000, 4), fillvalue=1)
    assert "more bytes than the file can hold" in refusal(D4rlConfig(path=tmp_path / "a.hdf5"))


def test_a_parquet_of_zeros_is_not_unfolded(tmp_path: Path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (tmp_path / "data").mkdir()
    zeros = pa.array(np.zeros(2**22, np.int64))
    names = ("observation.state", "action", "episode_index", "frame_index")
    parquet.write_table(pa.table(dict.fromkeys(names, zeros)), tmp_path / "data" / "a.parquet")
    assert "its numbers take" in refusal(LerobotConfig(path=tmp_path))


def test_a_long_name_in_a_csv_is_not_multiplied(tmp_path: Path):
    """As an array of strings, all as long as the longest, the names would take 8 GB."""
    rows = "\n".join(f"{i},0,0" for i in range(20_000))
    (tmp_path / "a.csv").write_text(f"episode,state,action\n{rows}\n{'x' * 100_000},0,0\n")
    assert "has one step" in refusal(CsvConfig(path=tmp_path / "a.csv"))


@pytest.mark.parametrize("content", ["", "{", "[]", "9" * 5000, "[" * 10_000, "\udcff"])
def test_metadata_that_are_no_object(tmp_path: Path, content: str):
    (tmp_path / "a.json").write_text(content, errors="surrogateescape")
    with pytest.raises(DataError, match=r"set: a\.json: (is no JSON|holds no JSON object)"):
        read_json_object(tmp_path / "a.json", "set")


@pytest.mark.parametrize("number", ["1e999", "2.0", '"2"', "null", "10" + "0" * 50])
def test_totals_that_are_no_numbers(tmp_path: Path, demonstrations, number: str):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (tmp_path / "data").mkdir()
    (tmp_path / "meta").mkdir()
    names = ("observation.state", "action", "episode_index", "frame_index")
    columns = {name: [0, 0] for name in names[:3]} | {"frame_index": [0, 1]}
    parquet.write_table(pa.table(columns), tmp_path / "data" / "a.parquet")
    info = f'{{"total_episodes": {number}, "total_frames": 2}}'
    (tmp_path / "meta" / "info.json").write_text(info)
    assert "info.json" in refusal(LerobotConfig(path=tmp_path))
    path = write_minari(demonstrations, "a-v0", tmp_path) / "data" / "metadata.json"
    content = json.loads(path.read_text()) | {"total_episodes": "NUMBER"}
    path.write_text(json.dumps(content).replace('"NUMBER"', number))
    assert "metadata.json declares" in refusal(MinariConfig(id="a-v0", root=tmp_path))


@pytest.mark.parametrize("number", [10**400, -(10**400)])
def test_a_number_beyond_float64_in_a_pickle(tmp_path: Path, number: int):
    paths = np.empty(1, object)
    rows = [np.zeros(2)] * 2
    paths[0] = {
        **dict.fromkeys(("observations", "next_observations", "actions"), rows),
        "rewards": [0.0, number],
    }
    np.save(tmp_path / "a.npy", paths, allow_pickle=True)
    assert "rewards hold a number beyond float64" in refusal(AwacConfig(path=tmp_path / "a.npy"))


def test_truth_values_of_two_are_refused(tmp_path: Path):
    flags = np.array([0, 2], np.uint8).view(np.bool_)
    np.savez(
        tmp_path / "a.npz",
        states=np.zeros((2, 1)),
        actions=np.zeros((2, 1)),
        final_states=np.zeros((1, 1)),
        episode_lengths=[2],
        successes=flags,
    )
    assert "successes" in refusal(NpzConfig(path=tmp_path / "a.npz"))


@pytest.mark.parametrize(
    "raw",
    [
        b"\x80\x05\x96" + (2**32).to_bytes(8, "little") + b".",
        b"\x80\x04\x8e" + (2**60).to_bytes(8, "little") + b"x.",
        b"\x80\x04\x95" + (2**60).to_bytes(8, "little") + b"x.",
    ],
)
def test_a_pickle_that_claims_gigabytes_is_one_line(tmp_path: Path, raw: bytes):
    (tmp_path / "a.pickle").write_bytes(raw)
    assert "not a pickle of plain arrays" in refusal(DapgConfig(path=tmp_path / "a.pickle"))


@pytest.mark.parametrize("name", ["../a-v0", "/etc", "a/../../b-v0", ".", "a\0b", "a/.."])
def test_a_minari_name_stays_below_its_root(name: str):
    with pytest.raises(ValueError, match="is no name of a set below root"):
        MinariConfig(id=name)
    assert MinariConfig(id="D4RL/door/human-v2").id == "D4RL/door/human-v2"
