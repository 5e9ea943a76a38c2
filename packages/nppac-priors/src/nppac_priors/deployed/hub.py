"""Policies on a model hub: what is pushed is whole, and what is pulled is a stranger's.

Of a repository only files of known names are fetched: tensors, and a card and a page for people.
They are checked where they arrive, before they are where they were asked for, and nothing of them
is executed. Needs the extra `nppac-priors[hub]`.
"""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nppac_priors.deployed.files import CARD_FILE, PAGE_FILE, POLICY_FILE, PRIOR_FILE, checksums
from nppac_priors.deployed.loading import load_policy
from nppac_priors.errors import ConfigError, PolicyFileError
from nppac_priors.plugin_origin import in_one_line
from nppac_priors.strict_json import read_json

FILES = (POLICY_FILE, PRIOR_FILE, CARD_FILE, PAGE_FILE)
"""All that goes to a hub, and all that is taken from one."""


def push_policy(folder: str | Path, repo: str, *, private: bool = True) -> str:
    """Put an exported policy, its card and its page onto a hub.

    Who is logged in, and to which hub, is for `huggingface_hub` to know (`hf auth login`).

    Args:
        folder: That `nppac-run export` wrote.
        repo: `OWNER/NAME`; made if it is not there.
        private: Whether others cannot see it, if it is made.

    Returns:
        The revision, which `pull_policy` takes.

    Raises:
        PolicyFileError, PriorFileError: It is damaged, has no card, or its card is another's.
        ConfigError: The extra is missing, or the hub refuses.
    """
    folder, hub = Path(folder), _hub()
    _check(folder)
    with _told(repo, "cannot be pushed to"):
        hub.create_repo(repo, private=private, exist_ok=True)
        commit = hub.upload_folder(
            repo_id=repo,
            folder_path=folder,
            allow_patterns=list(FILES),
            commit_message="A policy exported by nppac",
        )
    return commit.oid


def pull_policy(
    repo: str,
    folder: str | Path,
    *,
    revision: str | None = None,
    checksum: str | None = None,
) -> Path:
    """Fetch a policy from a hub into a folder, for `load_policy`.

    Args:
        repo: `OWNER/NAME`.
        folder: Has to be new or empty; nothing is in it unless all of it is sound.
        revision: Branch, tag or commit; None for the latest.
        checksum: Of `policy.safetensors`, as who made it tells: what is pulled is that policy then,
            whoever can write to the repository.

    Returns:
        The folder.

    Raises:
        PolicyFileError, PriorFileError, UnknownKindError: It is no sound policy, or another one.
        ConfigError: The folder is in use, the extra is missing, or the hub refuses.
    """
    folder, hub = Path(folder), _hub()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: is there already, and not empty; name another folder")
    with tempfile.TemporaryDirectory(prefix="nppac-pull-") as arrived:
        with _told(repo, "cannot be pulled from"):
            hub.snapshot_download(
                repo, revision=revision, local_dir=arrived, allow_patterns=list(FILES)
            )
        found = _check(Path(arrived))
        if checksum not in (None, found):
            raise PolicyFileError(f"{repo}: holds policy {found}, asked for was {checksum}")
        folder.mkdir(parents=True, exist_ok=True)
        for path in (Path(arrived) / name for name in reversed(FILES)):  # the policy comes last
            if path.exists():
                shutil.copyfile(path, folder / path.name)
    return folder


def _check(folder: Path) -> str:
    """The checksum of a sound policy whose card is its own."""
    for path in (folder / name for name in FILES):
        if path.is_symlink():
            raise PolicyFileError(f"{path}: is a link; only files are pushed and pulled")
    load_policy(folder)
    found, card = checksums(folder), read_json(folder / CARD_FILE)
    told = card.get("checksums") if isinstance(card, dict) else None
    if told != found:
        raise PolicyFileError(
            f"{folder / CARD_FILE}: its checksums are not those of the files beside it; it is the "
            "card of another policy, or of an older export: export the policy again"
        )
    return found[POLICY_FILE]


def _hub() -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ConfigError("a hub needs huggingface_hub: pip install 'nppac-priors[hub]'") from error


@contextmanager
def _told(repo: str, what: str) -> Iterator[None]:
    """Whatever the hub's client raises, in one line."""
    try:
        yield
    except Exception as error:
        raise ConfigError(f"{repo}: {what}: {in_one_line(error)}") from error
