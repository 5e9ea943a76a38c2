"""Checkpoints: everything a run continues from, in one file, with a checksum over all of it.

A checkpoint holds the agent (networks, target networks, optimizers, temperature, generators,
counters), the replay with the prior's moments, the training environments where they can be saved,
the position of the run, whose it is, and how far its metrics were. It holds no code and is read
without executing any.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nppac_priors.errors import DataError, NppacError
from nppac_priors.tensor_file import (
    DamagedFileError,
    TensorFileError,
    read_tensors,
    write_tensors,
)
from torch import Tensor

from nppac_agents.metrics_file import MetricsMark
from nppac_agents.running.identity import RunIdentity

FORMAT = "nppac-checkpoint"
VERSION = "2"
KEPT = 2


class CheckpointError(NppacError):
    """A checkpoint that cannot be written."""


class CheckpointFileError(CheckpointError, DataError):
    """A checkpoint that is missing, of another version, of another run, or not of this agent."""


class DamagedCheckpointError(CheckpointFileError):
    """A checkpoint that is no longer what was written."""


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by owner (`"agent"`, `"replay"`, ...), and where in which run they were taken.

    Attributes:
        tensors: by owner and name.
        position: the run's position, as JSON data: `phase`, `env_steps`, `updates` and more.
        identity: of the run.
        metrics: what its metrics file held.
    """

    tensors: dict[str, dict[str, Tensor]]
    position: dict[str, Any]
    identity: RunIdentity
    metrics: MetricsMark

    def save(self, folder: Path, *, kept: int = KEPT) -> Path:
        """Write the checkpoint, read it back, and then forget all but the latest `kept`.

        Raises:
            CheckpointError: the file cannot be written; earlier checkpoints are untouched.
        """
        path = folder / _name(self.position)
        flat = {
            f"{owner}/{name}": tensor
            for owner, tensors in self.tensors.items()
            for name, tensor in tensors.items()
        }
        metadata = {
            "format": FORMAT,
            "version": VERSION,
            "position": json.dumps(self.position, allow_nan=False),
            "identity": json.dumps(asdict(self.identity)),
            "metrics": json.dumps(self.metrics._asdict()),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_tensors(path, flat, metadata)
        except OSError as error:
            reason = error.strerror or error
            raise CheckpointError(f"{path}: cannot be written: {reason}") from error
        for later in checkpoints(folder):
            if later > path:  # of a time that a resume went back from
                later.unlink(missing_ok=True)
        self.forget_older(folder, kept=kept)
        return path

    def forget_older(self, folder: Path, *, kept: int = KEPT) -> None:
        """Of this checkpoint and those before it keep the latest `kept`; later ones stay.

        What a killed process left half-written is nobody's.
        """
        upto = [path for path in checkpoints(folder) if path.name <= _name(self.position)]
        for other in [*upto[:-kept], *folder.glob(".*.partial")]:
            other.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            DamagedCheckpointError: a byte of it is missing or another.
            CheckpointFileError: it is missing, or of another version.
        """
        try:
            flat, metadata = read_tensors(path, format=FORMAT, version=VERSION)
        except DamagedFileError as error:
            raise DamagedCheckpointError(str(error)) from error
        except TensorFileError as error:
            raise CheckpointFileError(str(error)) from error
        tensors: dict[str, dict[str, Tensor]] = {}
        for key, tensor in flat.items():
            owner, name = key.split("/", 1)
            tensors.setdefault(owner, {})[name] = tensor
        return cls(
            tensors,
            json.loads(metadata["position"]),
            RunIdentity.of(json.loads(metadata["identity"])),
            MetricsMark(**json.loads(metadata["metrics"])),
        )


def checkpoints(folder: Path) -> list[Path]:
    """The complete checkpoints of a folder, oldest first."""
    return sorted(folder.glob("[!.]*.safetensors"))


def _name(position: dict[str, Any]) -> str:
    """One name for each position: the first phase takes no steps, an offline one no more."""
    phase, steps, updates = (position[key] for key in ("phase", "env_steps", "updates"))
    return f"phase-{phase}-step-{steps:09d}-update-{updates:09d}.safetensors"
