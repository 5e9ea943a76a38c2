"""Generated files that are broken: every reader answers with one typed line.

Structural damage (a wrong type, ragged, NaN, empty, missing, a huge header, a cut) has to be
refused. Changed bytes may happen to be another valid file; what is loaded then is a whole, checked
set. Only a CSV file that is cut can go unnoticed, since it has no end mark: what is left is read.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import pickle
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nppac_envs import (
    AwacConfig,
    CsvConfig,
    D4rlConfig,
    DapgConfig,
    Demonstrations,
    DemonstrationsConfig,
    LerobotConfig,
    MinariConfig,
    NpzConfig,
)
from nppac_envs.cli import main
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.errors import EnvsError

pytestmark = pytest.mark.medium

FILES = int(os.environ.get("NPPAC_BROKEN_FILES", "315"))
"""How many files are generated; NPPAC_BROKEN_FILES=10000 takes some minutes."""
LENGTHS = (3, 4)
Arrays = dict[str, Any]


@pytest.fixture(autouse=True)
def _a_hang_ends_the_tests() -> Iterator[None]:
    faulthandler.dump_traceback_later(1800, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def whole() -> Arrays:
    rng = np.random.default_rng(0)
    steps = sum(LENGTHS)
    return {"states": rng.normal(size=(steps, 3)), "actions": rng.uniform(-1, 1, (steps, 2))}


def episodes(arrays: Arrays) -> Iterator[tuple[Any, Any]]:
    """States and actions by episode; what is ragged goes into the last one."""
    first = LENGTHS[0]
    yield arrays["states"][:first], arrays["actions"][:first]
    yield arrays["states"][first:], arrays["actions"][first:]


def write_npz(folder: Path, arrays: Arrays) -> Path:
    finals = np.zeros((2, 3))
    np.savez(folder / "a.npz", **arrays, episode_lengths=np.array(LENGTHS), final_states=finals)
    return folder / "a.npz"


def write_csv(folder: Path, arrays: Arrays) -> Path:
    states, actions = arrays.get("states"), arrays.get("actions")
    header = ["episode"]
    header += [] if states is None else [f"state_{i}" for i in range(np.shape(states)[-1])]
    header += [] if actions is None else [f"action_{i}" for i in range(np.shape(actions)[-1])]
    lines = [",".join(header)]
    rows = max(len(column) for column in arrays.values())
    for row in range(rows):
        values: list[Any] = [0 if row < LENGTHS[0] else 1]
        for column in (states, actions):
            values += [] if column is None or row >= len(column) else list(np.ravel(column[row]))
        lines.append(",".join(map(str, values)))
    (folder / "a.csv").write_text("\n".join(lines if rows else lines[:1]) + "\n")
    return folder / "a.csv"


def write_d4rl(folder: Path, arrays: Arrays) -> Path:
    names = {"states": "observations", "actions": "actions"}
    with h5py.File(folder / "a.hdf5", "w") as file:
        for name, array in arrays.items():
            kind = h5py.string_dtype() if np.asarray(array).dtype.kind in "OU" else None
            file.create_dataset(names[name], data=array, dtype=kind)
        file["timeouts"] = np.arange(sum(LENGTHS)) == LENGTHS[0] - 1
    return folder / "a.hdf5"


def write_dapg(folder: Path, arrays: Arrays) -> Path:
    names = {"states": "observations", "actions": "actions"}
    first, rest = slice(0, LENGTHS[0]), slice(LENGTHS[0], None)
    demos = [{names[n]: np.asarray(a)[part] for n, a in arrays.items()} for part in (first, rest)]
    (folder / "a.pickle").write_bytes(pickle.dumps(demos))
    return folder / "a.pickle"


def write_awac(folder: Path, arrays: Arrays) -> Path:
    paths = np.empty(2, object)
    for number, part in enumerate((slice(0, LENGTHS[0]), slice(LENGTHS[0], None))):
        path: Arrays = {}
        if "states" in arrays:
            rows = list(np.asarray(arrays["states"])[part])
            path["observations"] = [{"observation": row} for row in rows]
            path["next_observations"] = [{"observation": row} for row in rows]
        if "actions" in arrays:
            path["actions"] = list(np.asarray(arrays["actions"])[part])
        paths[number] = path
    np.save(folder / "a.npy", paths, allow_pickle=True)
    return folder / "a.npy"


def write_lerobot(folder: Path, arrays: Arrays) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    (folder / "meta").mkdir()
    (folder / "data").mkdir()
    names = {"states": "observation.state", "actions": "action"}
    totals = {"total_episodes": 2, "total_frames": sum(LENGTHS)}
    (folder / "meta" / "info.json").write_text(json.dumps(totals))
    columns: Arrays = {names[name]: np.asarray(a).tolist() for name, a in arrays.items()}
    rows = max((len(column) for column in columns.values()), default=0)
    columns = {n: column + [None] * (rows - len(column)) for n, column in columns.items()}
    columns["episode_index"] = np.repeat(np.arange(2), LENGTHS)[:rows]
    columns["frame_index"] = np.concatenate([np.arange(n) for n in LENGTHS])[:rows]
    parquet.write_table(pa.table(columns), folder / "data" / "a.parquet")
    return folder / "data" / "a.parquet"


def write_minari_set(folder: Path, arrays: Arrays) -> Path:
    good = whole()
    demos = Demonstrations(good["states"], good["actions"], np.zeros((2, 3)), np.array(LENGTHS))
    path = write_minari(demos, "a-v0", folder) / "data" / "main_data.hdf5"
    names = {"states": "observations", "actions": "actions"}
    with h5py.File(path, "r+") as file:
        for ours, theirs in names.items():
            for group, part in (("episode_0", slice(0, 3)), ("episode_1", slice(3, None))):
                if ours in arrays and np.array_equal(arrays[ours], good[ours]):
                    continue
                del file[group][theirs]
                if ours in arrays:
                    array = np.asarray(arrays[ours])[part]
                    kind = h5py.string_dtype() if array.dtype.kind in "OU" else None
                    file[group].create_dataset(theirs, data=array, dtype=kind)
    return path


def huge_npz(folder: Path) -> None:
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)}
    np.lib.format.write_array_header_1_0(buffer, header)
    import zipfile

    with zipfile.ZipFile(folder / "a.npz", "a") as archive:
        archive.writestr("rewards.npy", buffer.getvalue())


def huge_csv(folder: Path) -> None:
    text = (folder / "a.csv").read_text()
    (folder / "a.csv").write_text("x" * 300_000 + text)


def huge_hdf5(path: str, name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        with h5py.File(folder / path, "r+") as file:
            del file[name]
            file.create_dataset(name, (10**10, 3), "f8", chunks=(1000, 3))

    return write


def huge_pickle(folder: Path) -> None:
    raw = (folder / "a.pickle").read_bytes()
    (folder / "a.pickle").write_bytes(raw.replace(b"C", b"\x8e", 1)[:40] + struct.pack("<Q", 2**60))


def huge_npy(folder: Path) -> None:
    raw = bytearray((folder / "a.npy").read_bytes())
    raw[6:8] = b"\x02\x00"
    raw[8:12] = struct.pack("<I", 2**31)
    (folder / "a.npy").write_bytes(bytes(raw))


def huge_parquet(folder: Path) -> None:
    path = folder / "data" / "a.parquet"
    raw = path.read_bytes()
    path.write_bytes(raw[:-8] + struct.pack("<i", 2**30) + raw[-4:])


@dataclass(frozen=True)
class Reader:
    """Writes a set into a folder (returning the file to damage), makes it huge, reads it."""

    name: str
    write: Callable[[Path, Arrays], Path]
    make_huge: Callable[[Path], None]
    config: Callable[[Path], DemonstrationsConfig]
    has_end: bool = True


READERS = [
    Reader("npz", write_npz, huge_npz, lambda f: NpzConfig(path=f / "a.npz")),
    Reader("csv", write_csv, huge_csv, lambda f: CsvConfig(path=f / "a.csv"), has_end=False),
    Reader(
        "d4rl",
        write_d4rl,
        huge_hdf5("a.hdf5", "actions"),
        lambda f: D4rlConfig(path=f / "a.hdf5"),
    ),
    Reader("dapg", write_dapg, huge_pickle, lambda f: DapgConfig(path=f / "a.pickle")),
    Reader("awac", write_awac, huge_npy, lambda f: AwacConfig(path=f / "a.npy")),
    Reader("lerobot", write_lerobot, huge_parquet, lambda f: LerobotConfig(path=f)),
    Reader(
        "minari",
        write_minari_set,
        huge_hdf5("a-v0/data/main_data.hdf5", "episode_1/observations"),
        lambda f: MinariConfig(id="a-v0", root=f),
    ),
]
STRUCTURAL = ("dtype", "ragged", "nan", "empty", "missing")


def damaged(draw: st.DrawFn, kind: str) -> Arrays:
    """The arrays of a set with one of them broken."""
    arrays = whole()
    name = draw(st.sampled_from(("states", "actions")))
    array = arrays[name]
    if kind == "missing":
        del arrays[name]
    elif kind == "nan":
        # Not in the rows whose actions some formats have no use for: the last of each episode.
        row = draw(st.integers(0, len(array) - 2).filter(lambda row: row != LENGTHS[0] - 1))
        column = draw(st.integers(0, 1))
        array[row, column] = draw(st.sampled_from((np.nan, np.inf, -np.inf)))
    elif kind == "dtype":
        words = draw(st.sampled_from(("x", "1,5", "(1+2j)", "")))
        arrays[name] = np.full(array.shape, f"{words}!", object)
    elif kind == "empty":
        arrays["states"], arrays["actions"] = np.zeros((0, 3)), np.zeros((0, 2))
    else:
        arrays[name] = array[: draw(st.integers(LENGTHS[0] + 1, len(array) - 1))]
    return arrays


def check(config: DemonstrationsConfig, must_fail: bool) -> bool:
    """Whether the set was refused; it may be loaded whole only if it need not fail."""
    try:
        loaded = config.load()
    except EnvsError as error:
        text = str(error)
        assert text
        assert "\n" not in text
        assert len(text) < 1000
        return True
    assert not must_fail, f"{config.where()} was loaded"
    assert loaded.episode_lengths.sum() == len(loaded.states) == len(loaded.actions)
    assert np.isfinite(loaded.states).all()
    return False


@st.composite
def cases(draw: st.DrawFn, reader: Reader) -> tuple[str, Arrays, list[tuple[float, int]]]:
    """What is broken, the arrays, and where bytes are cut or changed (as shares of the file)."""
    kind = draw(st.sampled_from((*STRUCTURAL, "cut", "cut", "bytes", "bytes", "huge")))
    arrays = damaged(draw, kind) if kind in STRUCTURAL else whole()
    place = st.floats(0, 1, exclude_max=True)
    count = {"cut": 1, "bytes": 4}.get(kind, 0)
    changes = draw(
        st.lists(st.tuples(place, st.integers(0, 255)), min_size=min(count, 1), max_size=count)
    )
    return kind, arrays, changes


def run_case(reader: Reader, case: tuple[str, Arrays, list[tuple[float, int]]]) -> None:
    kind, arrays, changes = case
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            path = reader.write(folder, arrays)
        except Exception:
            assert kind in ("dtype", "empty"), f"{reader.name} cannot write {kind}"
            return
        if kind == "huge":
            reader.make_huge(folder)
        raw = bytearray(path.read_bytes())
        if kind == "cut":
            path.write_bytes(bytes(raw[: int(changes[0][0] * len(raw))]))
        elif kind == "bytes":
            for place, value in changes:
                raw[int(place * len(raw))] = value
            path.write_bytes(bytes(raw))
        check(reader.config(folder), kind not in ("bytes",) and (kind != "cut" or reader.has_end))


def test_the_undamaged_sets_load():
    for reader in READERS:
        if reader.name == "lerobot":
            pytest.importorskip("pyarrow")
        with tempfile.TemporaryDirectory() as folder:
            reader.write(Path(folder), whole())
            assert not check(reader.config(Path(folder)), must_fail=False), reader.name


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_broken_files_are_one_line(reader: Reader):
    generate(reader, -(-FILES // len(READERS)))


def generate(reader: Reader, examples: int) -> None:
    if reader.name == "lerobot":
        pytest.importorskip("pyarrow")

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(reader))
    def broken_files_are_refused(case: tuple[str, Arrays, list[tuple[float, int]]]) -> None:
        run_case(reader, case)

    broken_files_are_refused()


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
