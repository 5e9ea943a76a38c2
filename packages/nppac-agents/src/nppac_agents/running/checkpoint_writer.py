"""Checkpoints are written while the learning goes on, which waits for the disk only at the end."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from torch import Tensor

from nppac_agents.running.checkpoint import KEPT, Checkpoint, CheckpointError


class CheckpointWriter:
    """Writes one checkpoint at a time, in the order in which they were given.

    Hashing and writing hold no lock of the interpreter. A checkpoint that is given shares no memory
    with what learns: see `copied`.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoints")
        self._writing: Future[Path] | None = None

    def save(self, checkpoint: Checkpoint, folder: Path, *, kept: int = KEPT) -> None:
        """Begin to write a checkpoint, once the one before is on the disk.

        Raises:
            CheckpointError: the one before could not be written; earlier ones are untouched.
        """
        self.wait()
        self._writing = self._thread.submit(checkpoint.save, folder, kept=kept)

    def wait(self) -> None:
        """Return once everything that was given is on the disk.

        Raises:
            CheckpointError: it could not be written; earlier checkpoints are untouched.
        """
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def close(self) -> Exception | None:
        """Return once nothing is written any more; what went wrong, if nobody was told."""
        self._thread.shutdown()
        writing, self._writing = self._writing, None
        error = None if writing is None else writing.exception()
        return error if isinstance(error, CheckpointError) else None


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as they are now, on the CPU: what learns goes on to change its own."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
