"""Damaged data files at random: each is refused in one line, or reads as another reader sees it.

    python integration_tests/fuzz_files.py 10000 [--seed 0] [--first 0]

A small set is written in the layout of every source, and a fitted prior; then an array is broken
(wrong type, ragged, NaN, empty, missing: has to be refused), the file is cut, or bytes or numbers
in it are changed. What is loaded all the same must equal what h5py, NumPy, Python's pickle or
pyarrow find in the damaged file. Prints the counts; the exit code is 1 if a case failed, and the
case can be run alone with `1 --first NUMBER`.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import re
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import torch
from fuzzing import Fault, run_cases
from nppac_envs import (
    AwacConfig,
    CsvConfig,
    D4rlConfig,
    DapgConfig,
    Demonstrations,
    LerobotConfig,
    MinariConfig,
    NpzConfig,
    RobomimicConfig,
)
from nppac_envs.demonstrations.lerobot_writer import write_lerobot as write_lerobot_folder
from nppac_envs.demonstrations.minari_writer import write_minari
from nppac_envs.demonstrations.robomimic_writer import write_robomimic
from nppac_envs.errors import EnvsError
from nppac_priors import ProgramPriorConfig, load_prior
from nppac_priors.episodes import read_episodes
from nppac_priors.errors import NppacError
from nppac_priors.registry import prior_registry
from pyarrow import parquet
from safetensors.numpy import load as load_safetensors

LENGTHS = (3, 4)
ROWS = (slice(0, 3), slice(3, 7))
BROKEN = ("type", "ragged", "nan", "empty", "missing")
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """Writes a set into a folder, names the files to damage; reads it in our way and another."""

    write: Callable[[Path, Arrays], None]
    files: tuple[str, ...]
    load: Callable[[Path], Arrays]
    independent: Callable[[Path], Arrays]
    can_break: tuple[str, ...] = BROKEN
    has_end: bool = True


def whole(rng: random.Random) -> Arrays:
    """States (7, 3) and actions (7, 2) in two episodes."""
    numbers = np.random.default_rng(rng.randrange(2**32))
    kind = rng.choice(("f4", "f8"))
    arrays = {"states": numbers.normal(size=(7, 3)), "actions": numbers.uniform(-1, 1, (7, 2))}
    return {name: array.astype(kind) for name, array in arrays.items()}


def broken(arrays: Arrays, how: str, rng: random.Random) -> Arrays:
    """The arrays with one of them broken."""
    name = rng.choice(("states", "actions"))
    array = arrays[name]
    if how == "missing":
        return {key: value for key, value in arrays.items() if key != name}
    if how == "empty":
        return {"states": np.zeros((0, 3)), "actions": np.zeros((0, 2))}
    if how == "nan":
        # Not in the last rows of the episodes: some formats have no use for their actions.
        array[rng.choice((0, 1, 3, 4, 5)), rng.randrange(2)] = rng.choice((np.nan, np.inf))
    elif how == "type":
        arrays[name] = np.full(array.shape, rng.choice(("x", "1,5", "(1+2j)", "", "1_0")), object)
    else:
        arrays[name] = array[: rng.randint(4, 6)]
    return arrays


def source(config: Callable[[Path], Any]) -> Callable[[Path], Arrays]:
    """Our reader of a source, as a function of the folder."""

    def load(folder: Path) -> Arrays:
        return config(folder).load().arrays()

    return load


def laid_out(episodes: list[tuple[Any, Any]], finals: bool = False) -> Arrays:
    """Expected arrays; without final states the last step of each episode is used up."""
    states = [np.asarray(states) for states, _ in episodes]
    actions = [np.asarray(actions) for _, actions in episodes]
    cut = [a if finals else a[:-1] for a in actions]
    return {
        "states": np.concatenate([s[:-1] for s in states]),
        "actions": np.concatenate(cut),
        "final_states": np.stack([s[-1] for s in states]),
        "episode_lengths": np.array([len(a) for a in cut]),
    }


def write_npz(folder: Path, arrays: Arrays) -> None:
    lengths, finals = np.array(LENGTHS), np.zeros((2, 3))
    np.savez(folder / "a.npz", **arrays, episode_lengths=lengths, final_states=finals)


def see_npz(folder: Path) -> Arrays:
    with np.load(folder / "a.npz", allow_pickle=False) as file:
        names = ("states", "actions", "episode_lengths", "final_states")
        found = {name: file[name] for name in names if name in file.files}
    if "final_states" in found:
        return found
    parts = np.split(np.arange(len(found["states"])), np.cumsum(found["episode_lengths"])[:-1])
    return laid_out([(found["states"][p], found["actions"][p]) for p in parts])


def see_npz_of_priors(folder: Path) -> Arrays:
    names = ("states", "actions", "episode_lengths")
    with np.load(folder / "a.npz", allow_pickle=False) as file:
        return {name: file[name] for name in names}


def write_csv(folder: Path, arrays: Arrays) -> None:
    header, columns = ["episode"], [[0] * LENGTHS[0] + [1] * LENGTHS[1]]
    for name, array in arrays.items():
        for i in range(np.shape(array)[1]):
            header.append(f"{name[:-1]}_{i}")
            columns.append(list(array[:, i]))
    rows = max((len(column) for column in columns[1:]), default=0)
    lines = [",".join(str(c[i]) for c in columns if i < len(c)) for i in range(rows)]
    (folder / "a.csv").write_text("\n".join([",".join(header), *lines]) + "\n")


def see_csv(folder: Path) -> Arrays:
    text = (folder / "a.csv").read_bytes().decode("utf-8-sig").replace('"', "")
    table = [line.split(",") for line in re.split(r"\r\n|\r|\n", text) if line]
    header = [name.strip() for name in table[0]]

    def rows(name: str) -> Any:
        found = [i for i, title in enumerate(header) if re.fullmatch(rf"{name}\D?(\d\D?)?", title)]
        found.sort(key=lambda i: re.sub(r"\D", "", header[i]))
        return np.array([[_ascii_number(row[i]) for i in found] for row in table[1:]])

    owners = [row[header.index("episode")] for row in table[1:]]
    starts = [i for i in range(len(owners)) if i == 0 or owners[i] != owners[i - 1]]
    parts = np.split(np.arange(len(owners)), starts[1:])
    states, actions = rows("state"), rows("action")
    return laid_out([(states[part], actions[part]) for part in parts])


def _ascii_number(text: str) -> float:
    if not text.strip():  # not recorded, as the last row's action often is not, which nobody reads
        return float("nan")
    if not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text):
        raise ValueError(f"{text!r} is no number")
    return float(text)


def write_d4rl(folder: Path, arrays: Arrays) -> None:
    with h5py.File(folder / "a.hdf5", "w") as file:
        for name, array in arrays.items():
            kind = h5py.string_dtype() if array.dtype.kind == "O" else None
            stored = "observations" if name == "states" else name
            file.create_dataset(stored, data=array, dtype=kind)
        file["timeouts"] = np.arange(7) == LENGTHS[0] - 1


def see_d4rl(folder: Path) -> Arrays:
    with h5py.File(folder / "a.hdf5") as file:
        states, actions = file["observations"][()], file["actions"][()]
        ends = file["timeouts"][()].astype(bool) if "timeouts" in file else np.zeros(len(states))
    parts = np.split(np.arange(len(states)), np.flatnonzero(ends[:-1]) + 1)
    return laid_out([(states[part], actions[part]) for part in parts])


def write_dapg(folder: Path, arrays: Arrays) -> None:
    names = {"states": "observations", "actions": "actions"}
    demos = [{names[n]: a[rows] for n, a in arrays.items()} for rows in ROWS]
    (folder / "a.pickle").write_bytes(pickle.dumps(demos))


class NumpyOnly(pickle.Unpickler):
    """Python's own unpickler, which may call what rebuilds arrays."""

    def find_class(self, module: str, name: str) -> Any:
        known = ("_reconstruct", "_frombuffer", "ndarray", "dtype", "scalar")
        if not module.startswith("numpy") or name not in known:
            raise pickle.UnpicklingError(name)
        return super().find_class(module, name)


def see_dapg(folder: Path) -> Arrays:
    raw = (folder / "a.pickle").read_bytes()
    demos = NumpyOnly(io.BytesIO(raw), encoding="latin1").load()
    # DAPG's actions went through the simulator's clipping.
    return laid_out([(d["observations"], np.clip(d["actions"], -1, 1)) for d in demos])


def write_awac(folder: Path, arrays: Arrays) -> None:
    paths = np.empty(2, object)
    for number, rows in enumerate(ROWS):
        paths[number] = path = {}
        if "states" in arrays:
            path["observations"] = [{"observation": row} for row in arrays["states"][rows]]
            path["next_observations"] = [{"observation": row} for row in arrays["states"][rows]]
        if "actions" in arrays:
            path["actions"] = list(arrays["actions"][rows])
    np.save(folder / "a.npy", paths, allow_pickle=True)


def see_awac(folder: Path) -> Arrays:
    with (folder / "a.npy").open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        read[version[0]](file)
        paths = NumpyOnly(file, encoding="latin1").load()

    def vector(row: Any) -> Any:
        return row["observation"] if isinstance(row, dict) else row

    episodes = []
    for path in paths:
        rows = [*path["observations"], path["next_observations"][-1]]
        episodes.append((np.stack([vector(row) for row in rows]), np.stack(path["actions"])))
    return laid_out(episodes, finals=True)


def write_lerobot(folder: Path, arrays: Arrays) -> None:
    (folder / "meta").mkdir()
    (folder / "data").mkdir()
    totals = {"total_episodes": 2, "total_frames": 7}
    (folder / "meta" / "info.json").write_text(json.dumps(totals))
    names = {"states": "observation.state", "actions": "action"}
    columns: Arrays = {names[name]: array.tolist() for name, array in arrays.items()}
    rows = max(len(column) for column in columns.values())
    columns = {name: column + [None] * (rows - len(column)) for name, column in columns.items()}
    columns["episode_index"] = np.repeat(np.arange(2), LENGTHS)[:rows]
    columns["frame_index"] = np.array([*range(3), *range(4)])[:rows]
    parquet.write_table(pa.table(columns), folder / "data" / "a.parquet")


def see_lerobot(folder: Path) -> Arrays:
    (path,) = (folder / "data").rglob("*.parquet")
    names = ["observation.state", "action", "episode_index", "frame_index"]
    table = parquet.read_table(path, columns=names, partitioning=None).to_pylist()
    table.sort(key=lambda row: (row["episode_index"], row["frame_index"]))
    episodes = []
    for episode in sorted({row["episode_index"] for row in table}):
        rows = [row for row in table if row["episode_index"] == episode]
        stored = ("observation.state", "action")
        episodes.append(tuple(np.array([row[name] for row in rows]) for name in stored))
    return laid_out(episodes)


def demonstrations(states: Any, actions: Any) -> Demonstrations:
    """The set that our own writers are given."""
    rest: Any = {"final_states": np.zeros((2, 3)), "episode_lengths": np.array(LENGTHS)}
    optional: Any = {"rewards": np.arange(7.0), "successes": np.arange(7) > 4}
    return Demonstrations(states, actions, **rest, **optional)


def write_lerobot_set(folder: Path, arrays: Arrays) -> None:
    """By our writer, which lays it out as version 3 of the format does."""
    write_lerobot_folder(demonstrations(**arrays), folder / "set")


def write_robomimic_set(folder: Path, arrays: Arrays) -> None:
    """By our writer; what is broken then takes the place of an array of a whole set."""
    good = {"states": np.zeros((7, 3)), "actions": np.zeros((7, 2))}
    write_robomimic(demonstrations(**good), folder / "a.hdf5")
    with h5py.File(folder / "a.hdf5", "r+") as file:
        for number, rows in enumerate(ROWS):
            group = file[f"data/demo_{number}"]
            for name, stored in (("states", "obs/state"), ("actions", "actions")):
                del group[stored]
                if (array := arrays.get(name)) is not None:
                    kind = h5py.string_dtype() if array.dtype.kind == "O" else None
                    group.create_dataset(stored, data=array[rows], dtype=kind)


def see_robomimic(folder: Path) -> Arrays:
    with h5py.File(folder / "a.hdf5") as file:
        groups = sorted(file["data"].items(), key=lambda item: int(re.sub(r"\D", "", item[0]) or 0))
        episodes = []
        for _, group in groups:
            states, actions = group["obs/state"][()], group["actions"][()]
            if "next_obs/state" in group:
                episodes.append((np.vstack([states, group["next_obs/state"][()][-1:]]), actions))
            else:
                episodes.append((states, actions[:-1]))
    return laid_out(episodes, finals=True)


def write_minari_set(folder: Path, arrays: Arrays) -> None:
    good = {"states": np.zeros((7, 3)), "actions": np.zeros((7, 2))}
    demos = demonstrations(**good)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write_minari(demos, "a-v0", folder) / "data" / "main_data.hdf5"
    with h5py.File(path, "r+") as file:
        for number, rows in enumerate(ROWS):
            group = file[f"episode_{number}"]
            for name, stored in (("states", "observations"), ("actions", "actions")):
                del group[stored]
                array = arrays.get(name)
                if array is None:
                    continue
                part = array[rows]
                if name == "states" and len(part) and part.dtype.kind == "f":
                    part = np.vstack([part, part[-1:]])
                kind = h5py.string_dtype() if array.dtype.kind == "O" else None
                group.create_dataset(stored, data=part, dtype=kind)


def see_minari(folder: Path) -> Arrays:
    count = json.loads((folder / "a-v0/data/metadata.json").read_text())["total_episodes"]
    with h5py.File(folder / "a-v0" / "data" / "main_data.hdf5") as file:
        groups = [file[f"episode_{number}"] for number in range(count)]
        episodes = [(group["observations"][()], group["actions"][()]) for group in groups]
    found = laid_out(episodes, finals=True)
    low, high = (_declared_bound(folder, name) for name in ("low", "high"))
    if np.isfinite([low, high]).all():
        mapped = 2 * ((found["actions"].astype("f4") - low) / (high - low)) - 1
        found["actions"] = np.where(np.abs(np.abs(mapped) - 1) < 1e-6, np.sign(mapped), mapped)
    return found


def _declared_bound(folder: Path, name: str) -> Any:
    metadata = json.loads((folder / "a-v0/data/metadata.json").read_text())
    return np.array(json.loads(metadata["action_space"])[name], np.float64)


def prior_format(config: dict[str, Any]) -> Format:
    """A prior's file; it is not a set, so its arrays are not broken, only its bytes."""
    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(20, 3)), rng.uniform(-1, 1, size=(20, 2))
    prior = prior_registry().parse(config).fit(states, actions)
    with tempfile.TemporaryDirectory() as folder:
        prior.save(Path(folder) / "a.safetensors")
        raw = (Path(folder) / "a.safetensors").read_bytes()

    def load(folder: Path) -> Arrays:
        found = load_prior(folder / "a.safetensors").state()
        return {name: tensor.numpy() for name, tensor in found.items()}

    def see(folder: Path) -> Arrays:
        return load_safetensors((folder / "a.safetensors").read_bytes())

    def write(folder: Path, arrays: Arrays) -> None:
        (folder / "a.safetensors").write_bytes(raw)

    return Format(write, ("a.safetensors",), load, see, can_break=())


class Program(torch.nn.Module):
    """A policy of somebody else's, who returns a mean and a standard deviation."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())
        self.mean = torch.nn.Linear(4, 2)

    def forward(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean = self.mean(self.body(states)).tanh()
        return mean, 0.1 * mean.square() + 0.5


def program_members() -> dict[str, bytes]:
    """The content of an archive that `torch.export.save` writes, by names."""
    batch = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(Program(), (torch.zeros(2, 3),), dynamic_shapes=batch)
    file = io.BytesIO()
    torch.export.save(program, file)
    with zipfile.ZipFile(file) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def program_formats() -> dict[str, Format]:
    """An exported program as an archive, whose checksums notice damage, and by its members.

    What of the archive reads all the same computes what it did before. A damaged member may well
    be another program, so that only how it ends and what it takes is checked.
    """
    members = program_members()
    states = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    read = [name for name in members if re.search(r"/models/|_config\.json$|/weight_\d+$", name)]

    def moments(path: Path) -> Arrays:
        fitted = ProgramPriorConfig(path=str(path)).fit(states, np.zeros((5, 2), np.float32))
        return dict(zip(("mean", "std"), (m.numpy() for m in fitted.moments(states)), strict=True))

    def write(folder: Path, arrays: Arrays) -> None:
        (folder / "p.pt2").write_bytes(zipped(members))

    def write_members(folder: Path, arrays: Arrays) -> None:
        for name, content in members.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)

    def load_members(folder: Path) -> Arrays:
        (folder / "p.pt2").write_bytes(zipped({n: (folder / n).read_bytes() for n in members}))
        return moments(folder / "p.pt2")

    with tempfile.TemporaryDirectory() as temporary:
        write(Path(temporary), {})
        computed = moments(Path(temporary) / "p.pt2")
    archive = Format(
        write, ("p.pt2",), lambda f: moments(f / "p.pt2"), lambda f: computed, can_break=()
    )
    return {
        "program": archive,
        "program's member": Format(
            write_members, tuple(read), load_members, lambda f: {}, can_break=()
        ),
    }


def read_npz_of_priors(folder: Path) -> Arrays:
    return vars(read_episodes(folder / "a.npz"))


FORMATS = {
    "npz": Format(write_npz, ("a.npz",), source(lambda f: NpzConfig(path=f / "a.npz")), see_npz),
    "npz of a prior": Format(write_npz, ("a.npz",), read_npz_of_priors, see_npz_of_priors),
    "csv": Format(
        write_csv, ("a.csv",), source(lambda f: CsvConfig(path=f / "a.csv")), see_csv, has_end=False
    ),
    "d4rl": Format(
        write_d4rl, ("a.hdf5",), source(lambda f: D4rlConfig(path=f / "a.hdf5")), see_d4rl
    ),
    "dapg": Format(
        write_dapg, ("a.pickle",), source(lambda f: DapgConfig(path=f / "a.pickle")), see_dapg
    ),
    "awac": Format(
        write_awac, ("a.npy",), source(lambda f: AwacConfig(path=f / "a.npy")), see_awac
    ),
    "lerobot": Format(
        write_lerobot,
        ("data/a.parquet", "meta/info.json"),
        source(lambda f: LerobotConfig(path=f)),
        see_lerobot,
    ),
    "lerobot, as written": Format(
        write_lerobot_set,
        ("set/data/chunk-000/file-000.parquet", "set/meta/info.json"),
        source(lambda f: LerobotConfig(path=f / "set")),
        lambda f: see_lerobot(f / "set"),
        can_break=(),
    ),
    "robomimic": Format(
        write_robomimic_set,
        ("a.hdf5",),
        source(lambda f: RobomimicConfig(path=f / "a.hdf5")),
        see_robomimic,
    ),
    "minari": Format(
        write_minari_set,
        ("a-v0/data/main_data.hdf5", "a-v0/data/metadata.json"),
        source(lambda f: MinariConfig(id="a-v0", root=f)),
        see_minari,
    ),
    "exact-gp": prior_format({"kind": "exact-gp", "steps": 1}),
    "ensemble": prior_format({"kind": "ensemble", "members": 2, "hidden": [4], "steps": 1}),
    **program_formats(),
}


def damage(raw: bytes, how: str, rng: random.Random) -> bytes:
    """The content of a file with a part of it changed."""
    place = rng.randrange(len(raw))
    if how == "cut":
        return raw[:place]
    if how == "splice":
        start, end = rng.randrange(len(raw)), place + rng.randint(0, 64)
        return raw[:place] + raw[start : start + rng.randint(1, 64)] + raw[end:]
    if how == "numbers":
        found = [match.span() for match in re.finditer(rb"\d+", raw)]
        start, end = rng.choice(found or [(place, place + 1)])
        number = rng.choice((b"0", b"1", b"99", b"4294967296", b"9" * 40, b"-1", b"1e400", b"1_0"))
        return raw[:start] + number + raw[end:]
    content = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        width = rng.choice((1, 1, 1, 4, 8))
        start = rng.randrange(len(raw))
        value = rng.choice((rng.randrange(256), 0, 255, 127))
        content[start : start + width] = bytes([value]) * width
    return bytes(content)


def check_case(rng: random.Random) -> str:
    """Makes one file, damages it, reads it; returns how that ended.

    Raises:
        Fault: it ended in a way that is promised not to happen.
    """
    name = rng.choice(list(FORMATS))
    format_ = FORMATS[name]
    how = rng.choice(("none", *format_.can_break, *("cut", "splice", "numbers", "bytes") * 3))
    arrays = whole(rng)
    if how in BROKEN:
        arrays = broken(arrays, how, rng)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            format_.write(folder, arrays)
        except Exception:
            if how not in BROKEN:
                raise
            return f"{name}: cannot be written so"
        if how not in ("none", *BROKEN):
            path = folder / rng.choice(format_.files)
            path.write_bytes(damage(path.read_bytes(), how, rng))
        try:
            loaded = format_.load(folder)
        except (EnvsError, NppacError) as error:
            if not str(error) or "\n" in str(error) or len(str(error)) > 2000:
                raise Fault(f"{name}, {how}: not one line: {error}") from error
            if how == "none":
                raise Fault(f"{name}: a whole file is refused: {error}") from error
            return f"{name}: refused"
        if how in BROKEN or (how == "cut" and format_.has_end):
            raise Fault(f"{name}, {how}: was read")
        _check_equal(loaded, format_.independent(folder), f"{name}, {how}")
        return f"{name}: read"


def _check_equal(loaded: Arrays, seen: Arrays, where: str) -> None:
    for name, array in seen.items():
        with np.errstate(over="ignore"):
            expected = np.asarray(array).astype(loaded[name].dtype)
        if not np.array_equal(loaded[name], expected):
            raise Fault(f"{where}: {name} are {loaded[name]}, and the file holds {expected}")


if __name__ == "__main__":
    sys.exit(run_cases(__doc__, check_case))
