"""Hyper-parameters published as PyTorch state dicts with the N-PPAC paper.

The published GPs are intrinsic-coregionalisation models of rank 1 with constant means; their files
hold no data, so the demonstrations have to be supplied to condition on.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from nppac_priors.errors import DataError
from nppac_priors.gp.config import KernelName
from nppac_priors.gp.model import GPModel, Hyperparameters
from nppac_priors.user_files import existing_file

_RENAMED = {"likelihood.noise_covar.raw_noise": "likelihood.raw_task_noises"}
_OLD_CONSTANT = re.compile(r"(?<=\d\.)constant$")
_DUPLICATES = frozenset({"base_kernel.raw_lengthscale"})
_FACTOR = "covar_module.task_covar_module.covar_factor"


def load_hyperparameters(
    path: Path, kernel: KernelName, state_dim: int, action_dim: int
) -> Hyperparameters:
    """The constrained values of what `load_model` reads."""
    return load_model(path, kernel, state_dim, action_dim).hyperparameters()


def load_model(path: Path, kernel: KernelName, state_dim: int, action_dim: int) -> GPModel:
    """Read a state dict of `GPModel` or a published one.

    Args:
        path: File written by `torch.save`; only tensors are unpickled.
        kernel: The kernel that the values were fitted with; the file does not say.
        state_dim: S of the data to condition on.
        action_dim: A of the data to condition on.

    Raises:
        DataError: No such file, not a state dict, or one for other dimensions.
    """
    state = _read(path)
    factor = state.get(_FACTOR)
    if factor is None or factor.ndim != 2 or factor.shape[1] > action_dim:
        raise DataError(
            f"hyperparameters {str(path)!r}: {_FACTOR!r} has to be a matrix ({action_dim}, rank), "
            f"got {None if factor is None else tuple(factor.shape)}"
        )
    model = GPModel(kernel, state_dim, action_dim, factor.shape[1])
    expected = model.state_dict()
    _check_shapes(path, state, expected)
    model.load_state_dict({**expected, **{name: state[name] for name in _parameters(expected)}})
    return model


def _read(path: Path) -> dict[str, Tensor]:
    path = existing_file(path, DataError, "hyperparameters '{}'")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"hyperparameters {str(path)!r}: cannot be read: {reason}") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise DataError(f"hyperparameters {str(path)!r}: not a state dict of tensors")
    return dict(_present(name, value) for name, value in state.items() if name not in _DUPLICATES)


def _present(name: str, value: Tensor) -> tuple[str, Tensor]:
    """Name and shape of an entry as today's GPyTorch has them."""
    if _OLD_CONSTANT.search(name):
        return _OLD_CONSTANT.sub("raw_constant", name), value.squeeze()
    return _RENAMED.get(name, name), value


def _parameters(state: dict[str, Tensor]) -> list[str]:
    return [
        name
        for name in state
        if not name.endswith(("_constraint.lower_bound", "_constraint.upper_bound"))
    ]


def _check_shapes(path: Path, state: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    for name in _parameters(expected):
        if name not in state:
            raise DataError(f"hyperparameters {str(path)!r}: {name!r} is missing")
        if state[name].shape != expected[name].shape:
            raise DataError(
                f"hyperparameters {str(path)!r}: {name!r} has shape {tuple(state[name].shape)}, "
                f"the data need {tuple(expected[name].shape)}"
            )
        if not torch.isfinite(state[name]).all():
            raise DataError(f"hyperparameters {str(path)!r}: {name!r} is not finite")
