"""Priors as files: one safetensors file with the config in its metadata.

No pickle: the tensors are data, and the config's `from_state` rebuilds the prior from them, so
priors of third parties are stored in the same way. The same fit gives the same bytes, and a damaged
file is noticed; see `tensor_file`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from nppac_priors.device import usable_device
from nppac_priors.errors import ConfigError, NppacError, PriorFileError
from nppac_priors.registry import Registry, prior_registry
from nppac_priors.tensor_file import TensorFileError, read_tensors, write_tensors

if TYPE_CHECKING:
    from nppac_priors.prior import Prior

FORMAT = "nppac-prior"
VERSION = "2"


def save_prior(prior: Prior, path: str | Path, *, include_factors: bool = False) -> None:
    """Write a prior to one safetensors file; an existing file is replaced only when all is well.

    Args:
        prior: Any fitted prior.
        path: The file; its folder has to exist.
        include_factors: Also store large factors that could be recomputed at reload.

    Raises:
        PriorFileError: The file cannot be written.
    """
    path = Path(path)
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "config": prior.config.model_dump_json(),
        "data_hash": prior.data_hash,
    }
    try:
        write_tensors(path, prior.state(include_factors=include_factors), metadata)
    except OSError as error:
        raise PriorFileError(
            f"{path}: cannot write the prior: {error.strerror or error}"
        ) from error


def load_prior(
    path: str | Path, *, device: str | torch.device = "cpu", registry: Registry | None = None
) -> Prior:
    """Rebuild the prior that `save_prior` wrote.

    Args:
        path: The file.
        device: Where the prior will live.
        registry: Where its `kind` is looked up; the installed priors if None.

    Raises:
        PriorFileError: No such file, not a prior file, damaged, or of an unknown version.
        UnknownKindError: No installed plugin provides the prior's kind.
        DeviceError: The device cannot be used.
    """
    path = Path(path)
    device = usable_device(device)
    tensors, metadata = _read(path)
    registry = prior_registry() if registry is None else registry
    try:
        data = json.loads(metadata["config"])
        config = registry.parse(data, where=f"{path}: config")
        prior = config.from_state(tensors, device=device)
    except ConfigError as error:
        raise PriorFileError(str(error)) from error
    except NppacError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise PriorFileError(f"{path}: the prior cannot be rebuilt: {reason}") from error
    prior.data_hash = metadata["data_hash"]
    return prior


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        tensors, metadata = read_tensors(path, format=FORMAT, version=VERSION)
    except TensorFileError as error:
        raise PriorFileError(str(error)) from error
    missing = {"config", "data_hash"} - metadata.keys()
    if missing:
        raise PriorFileError(f"{path}: damaged prior file: no {' and no '.join(sorted(missing))}")
    return tensors, metadata
