"""Fits of priors that several runs share: one file for each prior, data, seed and way to compute.

What a run uses is what it reads back from `prior.safetensors`, and the same fit gives the same
bytes, so that a run with a copy of another's file is equal to the bit to one that fits by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from nppac_priors.atomic_files import replacing
from nppac_priors.tensor_file import TensorFileError, checksum

from nppac_agents.experiment.config import ExperimentConfig
from nppac_agents.running.console import Console


def shared_fit(folder: Path, config: ExperimentConfig, environment: Mapping[str, Any]) -> Path:
    """Where the file of a run's fit is kept for others, named after all that the fit depends on.

    Args:
        folder: of the shared fits.
        config: of the run; it has a prior.
        environment: what `environment.json` says of the run.
    """
    prior = config.model_dump(mode="json", include={"prior"})["prior"]
    depends_on = {
        "prior": prior,
        "files": [hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(prior)],
        "seed": config.seed,
        "threads": torch.get_num_threads(),
        "plugins": [plugin for plugin in environment["plugins"] if plugin["what"] == "prior"],
        **{name: environment[name] for name in ("demonstrations_hash", "device", "packages")},
    }
    text = json.dumps(depends_on, sort_keys=True)
    return folder / f"{prior['kind']}-{hashlib.sha256(text.encode()).hexdigest()[:24]}.safetensors"


def write_shared(path: Path, shared: Path, write: Callable[[Path], bool], console: Console) -> bool:
    """Write a prior's file as a copy of the shared one, which is fitted where there is none yet.

    One process fits, and others that want the same wait for it. A process that is killed leaves
    the file whole or not at all.

    Args:
        path: the run's own file.
        shared: see `shared_fit`.
        write: fits the prior and writes its file; False where there is no prior.
        console: where the origin is told.

    Returns:
        Whether there is a prior.
    """
    shared.parent.mkdir(parents=True, exist_ok=True)
    with _alone(shared.with_suffix(".lock")):
        if _is_intact(shared):
            console.line(f"prior: as fitted for another run, from {shared}")
        elif not write(shared):
            return False
    with replacing(path) as partial:
        shutil.copyfile(shared, partial)
    return True


def _files(value: Any) -> Iterator[Path]:
    """The files that a prior's configuration names, whose content the fit depends on."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _files(item)
    elif isinstance(value, str):
        with contextlib.suppress(OSError, ValueError):
            if Path(value).is_file():
                yield Path(value)


def _is_intact(path: Path) -> bool:
    try:
        return bool(checksum(path))
    except TensorFileError:
        return False


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for other processes, where the file system has locks; a kill releases them.

    Where it has none, two may fit the same, and the second replaces the first's file by its equal.
    """
    with path.open("w") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
