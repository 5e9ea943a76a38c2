"""Checkpoints: everything a run continues from, in one safetensors file, written atomically.

A checkpoint holds the agent (networks, target networks, optimizers, temperature, generators,
counters), the replay with the prior's moments, the training environments where they can be saved,
and the position of the run. It holds no code and is read without executing any.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nppac_priors.errors import NppacError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

FORMAT = "nppac-checkpoint"
VERSION = "1"
KEPT = 2


class CheckpointError(NppacError):
    """A checkpoint that cannot be written or read."""


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by owner (``"agent"``, ``"replay"``, ...), and the run's position as JSON."""

    tensors: dict[str, dict[str, Tensor]]
    position: dict[str, Any]

    def save(self, folder: Path) -> Path:
        """Writes the checkpoint and forgets all but the latest ``KEPT``.

        Raises:
            CheckpointError: the file cannot be written; earlier checkpoints are untouched.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"step-{self.position['env_steps']:09d}.safetensors"
        flat = {
            f"{owner}/{name}": tensor.detach().cpu().contiguous().clone()
            for owner, tensors in self.tensors.items()
            for name, tensor in tensors.items()
        }
        metadata = {
            "format": FORMAT,
            "version": VERSION,
            "position": json.dumps(self.position, allow_nan=False),
        }
        partial = path.with_suffix(".partial")
        try:
            save_file(flat, partial, metadata=metadata)
            os.replace(partial, path)
        except (OSError, SafetensorError) as error:
            partial.unlink(missing_ok=True)
            raise CheckpointError(f"{path}: cannot be written: {error}") from error
        for old in checkpoints(folder)[:-KEPT]:
            old.unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Reads a checkpoint.

        Raises:
            CheckpointError: the file is missing, cut short, or none of this version.
        """
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"{path}: cannot be read: {error}") from error
        if (metadata.get("format"), metadata.get("version")) != (FORMAT, VERSION):
            raise CheckpointError(f"{path}: is no {FORMAT} of version {VERSION}")
        tensors: dict[str, dict[str, Tensor]] = {}
        for key, tensor in flat.items():
            owner, name = key.split("/", 1)
            tensors.setdefault(owner, {})[name] = tensor
        return cls(tensors, json.loads(metadata["position"]))


def checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints of a folder, oldest first."""
    return sorted(folder.glob("step-*.safetensors"))
