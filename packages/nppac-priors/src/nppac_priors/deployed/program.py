"""A deployed policy as one program: a `torch.export` archive, or an ONNX file for other runtimes.

What is traced is `DeployedPolicy.tensors`, whole: scaling of the states, prior, policy, map of the
actions, standard deviations and trust. A Gaussian process stays what it is: its points and modes
become constants of the program.
"""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from nppac_priors.atomic_files import replacing
from nppac_priors.errors import ConfigError, NppacError, PolicyFileError
from nppac_priors.plugin_origin import blamed, in_one_line

if TYPE_CHECKING:
    from nppac_priors.deployed.policy import DeployedPolicy

LARGEST = 512 * 2**20
"""Bytes of numbers in a program: an exact Gaussian process of about 11,000 states."""


def write_program(policy: DeployedPolicy, path: Path) -> None:
    """See `DeployedPolicy.save_program`; no pickle is in the archive."""
    program = exported(policy)
    program._example_inputs = None  # the one thing that would be pickled
    with _written(path) as partial, _quiet(), partial.open("wb") as file:
        torch.export.save(program, file)


def write_onnx(policy: DeployedPolicy, path: Path) -> None:
    """See `DeployedPolicy.save_onnx`."""
    require_onnx()
    program = exported(policy)
    with _quiet():
        onnx = torch.onnx.export(
            program,
            dynamo=True,
            input_names=["states"],
            output_names=list(_outputs(policy)),
            dynamic_shapes={"states": {0: "batch"}},
            verbose=False,
        )
    assert onnx is not None
    onnx.model.metadata_props["nppac_policy"] = policy.spec.model_dump_json()
    with _written(path) as partial:
        onnx.save(str(partial), external_data=False)


def require_onnx() -> None:
    """Say what to install where ONNX files cannot be written.

    Raises:
        ConfigError: The extra `onnx` is missing.
    """
    for module in ("onnx", "onnxscript"):
        if importlib.util.find_spec(module) is None:
            raise ConfigError(f"ONNX needs {module}: pip install 'nppac-priors[onnx]'")


def exported(policy: DeployedPolicy) -> ExportedProgram:
    """`DeployedPolicy.tensors` as a program of states (B, S), whatever B.

    Its results are a dictionary by the names of `PolicyTensors`, without those that are None.

    Raises:
        ConfigError: It is too large, or the prior cannot be traced.
    """
    _check_size(policy)
    states = torch.zeros(2, policy.spec.state_dim, device=policy.device)
    try:
        with torch.no_grad(), _quiet():
            shapes = {"states": {0: Dim("batch")}}
            return torch.export.export(_Program(policy), (states,), dynamic_shapes=shapes)
    except Exception as error:
        fault = blamed(error)
        if isinstance(fault, NppacError):
            raise fault from error
        kind = "none" if policy.prior is None else policy.prior.config.kind
        reason = in_one_line(error)[:200]
        raise ConfigError(
            f"prior {kind!r}: its `tensors` cannot be traced by torch.export: {reason}"
        ) from error


class _Program(torch.nn.Module):
    """What is traced."""

    def __init__(self, policy: DeployedPolicy) -> None:
        super().__init__()
        self._policy = policy

    def forward(self, states: Tensor) -> dict[str, Tensor]:
        found = self._policy.tensors(states)._asdict()
        return {name: tensor for name, tensor in found.items() if tensor is not None}


def _outputs(policy: DeployedPolicy) -> dict[str, Tensor]:
    states = torch.zeros(1, policy.spec.state_dim, device=policy.device)
    with torch.no_grad():
        return _Program(policy)(states)


def _check_size(policy: DeployedPolicy) -> None:
    if policy.prior is None:
        return
    tensors = policy.prior.state(include_factors=True).values()
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if size > LARGEST:
        kind, need, limit = policy.prior.config.kind, size / 2**20, LARGEST / 2**20
        raise ConfigError(
            f"prior {kind!r}: its {need:,.0f} MiB of numbers are too many for one program, which "
            f"takes {limit:,.0f}; export it with --distil"
        )


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """Where to write what will be at a path, whole or not at all."""
    try:
        with replacing(path) as partial:
            yield partial
    except OSError as error:
        raise PolicyFileError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' notes on themselves."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
