"""The hub's client is the real one but for the three calls that reach the network."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import create_autospec

import numpy as np
import pytest
from nppac_priors import load_policy, pull_policy, push_policy
from nppac_priors.atomic_files import write_json
from nppac_priors.deployed.files import (
    CARD_FILE,
    FORMAT,
    PAGE_FILE,
    POLICY_FILE,
    PRIOR_FILE,
    VERSION,
    checksums,
)
from nppac_priors.errors import ConfigError, PolicyFileError
from nppac_priors.tensor_file import read_tensors, write_tensors

pytestmark = pytest.mark.medium
huggingface_hub = pytest.importorskip("huggingface_hub")
REPO = "lab/arm"


@pytest.fixture
def shared(folder) -> Path:
    """A policy with its card and its page, and with files that are none of a hub's business."""
    write_json(folder / CARD_FILE, {"licence": "MIT", "checksums": checksums(folder)})
    (folder / PAGE_FILE).write_text("# An arm\n")
    (folder / "notes.txt").write_text("secret")
    return folder


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Path:
    """A local folder in place of the repository `REPO` of a hub."""
    kept = tmp_path / "hub"

    def create(repo_id, *, private, exist_ok):
        assert (repo_id, private, exist_ok) == (REPO, True, True)
        kept.mkdir(exist_ok=True)

    def upload(*, repo_id, folder_path, allow_patterns, commit_message):
        assert repo_id == REPO
        _copy(folder_path, kept, allow_patterns)
        return SimpleNamespace(oid="abc")

    def download(repo_id, *, revision, local_dir, allow_patterns):
        if repo_id != REPO:
            raise FileNotFoundError("no such\nrepository")
        assert revision in (None, "abc")
        assert not any("*" in pattern for pattern in allow_patterns)
        _copy(kept, Path(local_dir), allow_patterns)

    for name, stand_in in {
        "create_repo": create,
        "upload_folder": upload,
        "snapshot_download": download,
    }.items():
        checked = create_autospec(getattr(huggingface_hub, name), side_effect=stand_in)
        monkeypatch.setattr(huggingface_hub, name, checked)
    return kept


def _copy(source: Path, target: Path, patterns: list[str]) -> None:
    for path in source.iterdir():
        if any(path.match(pattern) for pattern in patterns):
            shutil.copy(path, target / path.name)


def test_what_is_pulled_is_what_was_pushed_and_nothing_else(shared, hub, tmp_path):
    assert push_policy(shared, REPO) == "abc"
    (hub / "setup.py").write_text("raise SystemExit")
    pulled = pull_policy(REPO, tmp_path / "pulled", revision="abc")
    names = {POLICY_FILE, PRIOR_FILE, CARD_FILE, PAGE_FILE}
    assert {path.name for path in pulled.iterdir()} == names
    assert {path.name for path in hub.iterdir()} == {*names, "setup.py"}
    states = np.zeros((4, 3), np.float32)
    assert np.array_equal(load_policy(pulled).act(states), load_policy(shared).act(states))


def test_a_checksum_pins_the_policy_whatever_the_repository_holds(shared, hub, tmp_path):
    push_policy(shared, REPO)
    pinned = checksums(shared)[POLICY_FILE]
    pull_policy(REPO, tmp_path / "pinned", checksum=pinned)
    with pytest.raises(PolicyFileError, match=f"holds policy {pinned}, asked for was 00"):
        pull_policy(REPO, tmp_path / "other", checksum="00")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", [POLICY_FILE, PRIOR_FILE])
def test_a_policy_damaged_on_the_hub_never_arrives(shared, hub, tmp_path, name):
    push_policy(shared, REPO)
    damaged = bytearray((hub / name).read_bytes())
    damaged[-1] ^= 1
    (hub / name).write_bytes(damaged)
    with pytest.raises(PolicyFileError, match="damaged"):
        pull_policy(REPO, tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()


def test_anothers_spec_never_arrives_although_its_checksums_are_right(shared, hub, tmp_path):
    push_policy(shared, REPO)
    tensors, metadata = read_tensors(hub / POLICY_FILE, format=FORMAT, version=VERSION)
    write_tensors(hub / POLICY_FILE, tensors, metadata | {"spec": '{"code": "import os"}'})
    write_json(hub / CARD_FILE, {"checksums": checksums(hub)})
    with pytest.raises(PolicyFileError, match="unknown field 'code'"):
        pull_policy(REPO, tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()


def test_the_card_of_another_policy_is_refused_on_both_ways(shared, hub, tmp_path):
    push_policy(shared, REPO)
    for folder in (hub, shared):
        write_json(folder / CARD_FILE, {"checksums": {POLICY_FILE: "00"}})
    with pytest.raises(PolicyFileError, match="its checksums are not those of the files beside"):
        pull_policy(REPO, tmp_path / "pulled")
    with pytest.raises(PolicyFileError, match="its checksums are not those of the files beside"):
        push_policy(shared, REPO)
    (shared / CARD_FILE).unlink()
    with pytest.raises(ConfigError, match=r"card\.json: no such file"):
        push_policy(shared, REPO)


def test_a_link_is_not_followed_to_the_hub(shared, hub, tmp_path):
    (tmp_path / "private").write_text("secret")
    (shared / PAGE_FILE).unlink()
    (shared / PAGE_FILE).symlink_to(tmp_path / "private")
    with pytest.raises(PolicyFileError, match=r"README\.md: is a link"):
        push_policy(shared, REPO)
    assert not hub.exists()


def test_a_folder_in_use_and_an_unknown_repository_are_a_line(shared, hub, tmp_path):
    with pytest.raises(ConfigError, match="is there already, and not empty"):
        pull_policy(REPO, shared)
    with pytest.raises(ConfigError) as error:
        pull_policy("lab/none", tmp_path / "pulled")
    said = "lab/none: cannot be pulled from: FileNotFoundError: no such repository"
    assert str(error.value) == said


def test_without_the_extra_it_is_named(shared, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r"pip install 'nppac-priors\[hub\]'"):
        push_policy(shared, REPO)
