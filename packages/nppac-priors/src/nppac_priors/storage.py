"""Priors as files: one safetensors file with the config in its metadata.

No pickle: the tensors are data, and the config's `from_state` rebuilds the prior from them, so
priors of third parties are stored in the same way.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from nppac_priors.device import usable_device
from nppac_priors.errors import ConfigError, NppacError, PriorFileError
from nppac_priors.fitted import rebuilt
from nppac_priors.plugin_origin import described, in_one_line
from nppac_priors.prior import fault
from nppac_priors.registry import Registry, prior_registry
from nppac_priors.strict_json import parse_json
from nppac_priors.user_files import existing_file

if TYPE_CHECKING:
    from nppac_priors.prior import Prior

FORMAT = "nppac-prior"
VERSION = "1"


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
    state = prior.state(include_factors=include_factors)
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise fault(prior, f"state() returned {described(state)}, has to return a dict of tensors")
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.items()
    }
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "config": prior.config.model_dump_json(),
        "data_hash": prior.data_hash,
    }
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        save_file(tensors, partial, metadata=metadata)
        os.replace(partial, path)
    except (OSError, SafetensorError) as error:
        raise PriorFileError(f"{path}: cannot write the prior: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


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
        raise PriorFileError(
            f"{path}: the prior cannot be rebuilt: {in_one_line(error)}"
        ) from error
    prior.data_hash = metadata["data_hash"]
    return prior


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            _check_metadata(path, metadata)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except NppacError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise PriorFileError(
            f"{path}: not a readable safetensors file, perhaps truncated: {reason}"
        ) from error
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise PriorFileError(f"{path}: damaged prior file: {name!r} is not finite")
    return tensors, metadata


def _config(path: Path, metadata: dict[str, str]) -> Any:
    try:
        return parse_json(metadata["config"])
    except ConfigError as error:
        raise PriorFileError(f"{path}: config: {error}") from error


def _check_metadata(path: Path, metadata: dict[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise PriorFileError(
            f"{path}: not a prior file: format {metadata.get('format')!r} instead of {FORMAT!r}"
        )
    if metadata.get("version") != VERSION:
        raise PriorFileError(
            f"{path}: prior file version {metadata.get('version')!r}, this nppac-priors reads "
            f"{VERSION!r}; update nppac-priors"
        )
    missing = {"config", "data_hash"} - metadata.keys()
    if missing:
        raise PriorFileError(f"{path}: damaged prior file: no {' and no '.join(sorted(missing))}")
