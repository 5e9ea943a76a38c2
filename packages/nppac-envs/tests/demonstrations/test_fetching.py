"""What others publish is prepared as the table says, or refused."""

from __future__ import annotations

import dataclasses
import logging
import os
import shlex
import subprocess
import sys
from pathlib import Path

import minari
import numpy as np
import pytest
from nppac_envs import ConfigError, DataError, Demonstrations, MinariConfig, NpzConfig
from nppac_envs.cli import main
from nppac_envs.demonstrations.fetching import prepare
from nppac_envs.demonstrations.public_sets import PUBLIC_SETS, PublicSet


@pytest.fixture
def public(demonstrations: Demonstrations, tmp_path: Path, monkeypatch) -> PublicSet:
    """Three episodes of eight steps in a file of this folder."""
    monkeypatch.chdir(tmp_path)
    demonstrations.save_npz("theirs.npz")
    settings = {"source": "npz", "path": "theirs.npz"}
    return PublicSet(settings, "https://example.org/sets", 3, (5, 2), 8, hash=demonstrations.hash)


def test_a_set_comes_out_as_it_was_written_down(public, demonstrations):
    assert prepare("theirs", public).hash == demonstrations.hash


def test_the_conversion_makes_rewards(public, demonstrations):
    prepared = prepare("theirs", dataclasses.replace(public, rewards="binary", hash=None))
    np.testing.assert_array_equal(prepared.rewards, np.where(demonstrations.successes, 0.0, -1.0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"episodes": 4}, "has episodes 3 after its conversion, and 4 were written down"),
        ({"steps": 9}, "has steps 8"),
        ({"dimensions": (5, 3)}, r"has state and action dimensions \(5, 2\) after .*\(5, 3\) were"),
        ({"hash": "0" * 64}, "https://example.org/sets is another one now"),
    ],
)
def test_another_set_is_refused(public, change, words):
    with pytest.raises(DataError, match=words):
        prepare("theirs", dataclasses.replace(public, **change))


def test_a_file_that_is_to_be_put_there_is_named_with_folder_and_origin(public, tmp_path: Path):
    (tmp_path / "theirs.npz").unlink()
    with pytest.raises(DataError, match=f"no theirs.npz in {tmp_path}; put it there from https:"):
        prepare("theirs", public)


def test_unknown_names_list_what_there_is():
    with pytest.raises(ConfigError, match=r"no set 'dor'; there are door-human, .*ant-expert"):
        prepare("dor")


def test_without_a_network_the_files_are_named_with_their_folder(
    tmp_path: Path, monkeypatch, caplog
):
    def broken(id: str) -> None:
        (Path(os.environ["MINARI_DATASETS_PATH"]) / id / "data").mkdir(parents=True)
        logging.getLogger("huggingface_hub.utils").warning("Retrying in 1s [Retry 1/5].")
        raise OSError("Name or service not known")

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    monkeypatch.setattr(minari, "download_dataset", broken)
    folder = tmp_path / "D4RL/door/human-v2/data"
    for _ in range(2):  # what arrived in part is no set the next time either
        with pytest.raises(DataError) as caught:
            MinariConfig(id="D4RL/door/human-v2", download=True).load()
        said = str(caught.value)
        assert "cannot be fetched (OSError: Name or service not known)" in said
        assert said.endswith(
            "put main_data.hdf5 and metadata.json of https://huggingface.co/datasets/farama-minari"
            f"/D4RL/tree/main/door/human-v2/data into {folder}"
        )
    assert not caplog.records  # one line tells it
    logging.getLogger("huggingface_hub.utils").warning("of somebody else")
    assert caplog.messages == ["of somebody else"]


BROKEN = """
import minari

def broken(id):
    from huggingface_hub.utils import logging
    logging.get_logger("huggingface_hub.utils._http").warning("Retrying in 1s [Retry 1/5].")
    raise OSError("Name or service not known")

minari.download_dataset = broken
from nppac_envs import MinariConfig
MinariConfig(id="D4RL/door/human-v2", download=True).load()
"""


def test_attempts_are_not_told_by_a_library_that_is_imported_for_them(tmp_path: Path):
    """Its import, which comes with the first attempt, sets what it tells."""
    environment = {**os.environ, "MINARI_DATASETS_PATH": str(tmp_path)}
    command = [sys.executable, "-c", BROKEN]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "cannot be fetched (OSError: Name or service not known)" in told.stderr
    assert "Retrying" not in told.stderr


def test_a_missing_file_that_can_be_fetched_says_so(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"in {tmp_path}; nppac-demos fetch ant-expert writes it"):
        NpzConfig(path="ant-expert.npz").load()
    elsewhere = "nppac-demos fetch ant-expert --output 'my sets/ant-expert.npz' writes it"
    with pytest.raises(DataError, match=elsewhere):
        NpzConfig(path="my sets/ant-expert.npz").load()
    with pytest.raises(DataError) as other:
        NpzConfig(path="ant-expert.hdf5").load()
    assert "fetch" not in str(other.value)


@pytest.mark.parametrize("name", ["door-dapg", "pen-awac"])
def test_the_releases_come_out_as_the_sets_of_the_results(data: Path, name, monkeypatch):
    monkeypatch.chdir(data / "raw")
    task = name.partition("-")[0]
    ours = MinariConfig(id=f"{task}/human-v0", root=data / "minari").load()
    prepared = prepare(name)
    for array in ("states", "actions", "final_states", "rewards"):
        np.testing.assert_array_equal(getattr(prepared, array), getattr(ours, array))


@pytest.mark.medium
def test_copies_under_the_public_names_pass_the_checks(data: Path, tmp_path: Path, monkeypatch):
    """They are of the same sizes; those of the human sets lack a step an episode."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    for name, public in PUBLIC_SETS.items():
        task, _, kind = name.partition("-")
        copy = data / "minari" / task / f"{kind}-v0"
        if public.settings["source"] != "minari" or not copy.is_dir():
            continue
        link = tmp_path / public.settings["id"]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(copy)
        if kind == "expert":
            assert prepare(name).n_episodes == 15
        else:
            with pytest.raises(DataError, match="were written down"):
                prepare(name)


@pytest.mark.medium
def test_the_command_that_the_error_names_writes_the_file(data: Path, tmp_path: Path, monkeypatch):
    """Word for word, with a set of the same task in the place of the server's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "sets"))
    link = tmp_path / "sets" / str(PUBLIC_SETS["ant-expert"].settings["id"])
    link.parent.mkdir(parents=True)
    link.symlink_to(data / "minari" / "ant" / "expert-v0")
    (tmp_path / "mine").mkdir()
    for path in ("ant-expert.npz", "mine/ant-expert.npz"):
        with pytest.raises(DataError) as missing:
            NpzConfig(path=path).load()
        command = str(missing.value).partition("; ")[2].removesuffix(" writes it")
        program, *argv = shlex.split(command)
        assert (program, main(argv)) == ("nppac-demos", 0)
        assert NpzConfig(path=path).load().states.shape == (14818, 27)


COPIES = [
    # id; episodes, steps, state and action dimensions; hash of what is read
    (
        "ant/expert-v0",
        (15, 14818, 27, 8),
        "c6b71a2eea2153b081fb18125547e74a655c3b90dd7785db10f2ffed5a376bd4",
    ),
    (
        "door/expert-v0",
        (25, 5000, 39, 28),
        "b0e417c847745442ecf289f63344e036806893cfc72ee06a4822366b3fc11e25",
    ),
    (
        "door/human-v0",
        (25, 6704, 39, 28),
        "d442f78a2e710a8f34c18c43b81477a580198fe078c5897b1cfdafb6b7083b41",
    ),
    (
        "halfcheetah/expert-v0",
        (15, 15000, 17, 6),
        "8c46a97cd0093d0b8b954b6dcb01893ff28f80e4f934101d716a68d3eb9c33f3",
    ),
    (
        "hammer/expert-v0",
        (25, 5000, 46, 26),
        "fe07a081a7bdc37bc5e85192190b0d204f47dcd26ed00b0bc12960cb4b2e6c1f",
    ),
    (
        "pen/expert-v0",
        (25, 5000, 45, 24),
        "dedced1ab5cb217b328c41da82e704234a2db1dfadf495058e866c7ec60f5ddc",
    ),
    (
        "pen/human-v0",
        (25, 4975, 45, 24),
        "269da66aaeefac0eaf9aae972f00bd3b7078876cba5926ea3055da375934f0f0",
    ),
    (
        "relocate/expert-v0",
        (25, 5000, 39, 30),
        "b520b1ff537b78df7fe87d0c3387b2b2f4c6a85d87d03b3fea6d2a6a7beec215",
    ),
    (
        "walker2d/expert-v0",
        (15, 14092, 17, 6),
        "95ec28101f3505b9e2a3258a11bb74515d67d49027dee2956c165270449df321",
    ),
]


@pytest.mark.medium
@pytest.mark.parametrize(("id", "sizes", "hash"), COPIES)
def test_the_copies_are_read_as_they_were(data: Path, id, sizes, hash):
    """Other sets than those of Minari's server; the human ones hold what the releases hold."""
    read = MinariConfig(id=id, root=data / "minari").load()
    assert (read.n_episodes, len(read), read.state_dim, read.action_dim) == sizes
    assert read.hash == hash
