"""Priors as files: one safetensors file with the config in its metadata; `loading` reads it.

No pickle: the tensors are data, and the config's `from_state` rebuilds the prior from them, so
priors of third parties are stored in the same way. The same fit gives the same bytes, and a damaged
file is noticed; see `tensor_file`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from nppac_priors.errors import PriorFileError
from nppac_priors.plugin_origin import broken_contract, described
from nppac_priors.tensor_file import write_tensors
from nppac_priors.user_files import user_path

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
        PluginFaultError, ContractError: The prior's state is no dictionary of tensors.
    """
    path = user_path(path)
    state = prior.state(include_factors=include_factors)
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        problem = f"state() returned {described(state)}, has to return a dict of tensors"
        raise broken_contract(prior.config, "prior", problem)
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "config": prior.config.model_dump_json(),
        "data_hash": prior.data_hash,
    }
    try:
        write_tensors(path, state, metadata)
    except OSError as error:
        raise PriorFileError(
            f"{path}: cannot write the prior: {error.strerror or error}"
        ) from error
