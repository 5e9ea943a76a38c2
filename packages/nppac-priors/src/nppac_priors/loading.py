"""Priors read back from the files that `storage` writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nppac_priors.device import usable_device
from nppac_priors.errors import ConfigError, NppacError, PriorFileError
from nppac_priors.fitted import rebuilt
from nppac_priors.plugin_origin import in_one_line
from nppac_priors.registry import Registry, prior_registry
from nppac_priors.storage import FORMAT, VERSION
from nppac_priors.strict_json import parse_json
from nppac_priors.tensor_file import TensorFileError, read_tensors
from nppac_priors.user_files import existing_file

if TYPE_CHECKING:
    from nppac_priors.prior import Prior


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
    path = existing_file(path, PriorFileError)
    device = usable_device(device)
    tensors, metadata = _read(path)
    registry = prior_registry() if registry is None else registry
    try:
        config = registry.parse(_config(path, metadata), where=f"{path}: config")
        prior = rebuilt(config, tensors, device=device)
    except ConfigError as error:
        raise PriorFileError(str(error)) from error
    except NppacError:
        raise
    except Exception as error:
        reason = in_one_line(error)
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
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise PriorFileError(f"{path}: damaged prior file: {name!r} is not finite")
    return tensors, metadata


def _config(path: Path, metadata: dict[str, str]) -> Any:
    try:
        return parse_json(metadata["config"])
    except ConfigError as error:
        raise PriorFileError(f"{path}: config: {error}") from error
