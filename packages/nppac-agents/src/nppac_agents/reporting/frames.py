"""The file that keeps the pictures of one evaluation episode.

A machine that cannot draw (no OpenGL) loses the pictures, never the run: `Frames.reason` says why.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nppac_priors.atomic_files import write_bytes
from nppac_priors.errors import DataError
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Frames:
    """n frames of one episode of T steps.

    Attributes:
        images: (n, H, W, 3) uint8, W at most 320.
        steps: (n,) int64, steps before each frame: 0 is the reset.
        successes: (T,) bool, whether each step of the episode ended in success.
        seed: reset seed of the episode.
        reason: why there are no frames, in one line; empty where there are.
    """

    images: NDArray[np.uint8]
    steps: NDArray[np.int64]
    successes: NDArray[np.bool_]
    seed: int
    reason: str = ""

    @classmethod
    def none(cls, seed: int, reason: str) -> Frames:
        """No pictures, and why."""
        images, steps = np.zeros((0, 1, 1, 3), np.uint8), np.zeros(0, np.int64)
        return cls(images, steps, np.zeros(0, bool), seed, reason)

    def save(self, path: Path) -> None:
        """Write one compressed npz file, atomically.

        Raises:
            OSError: it cannot be written.
        """
        file = io.BytesIO()
        np.savez_compressed(file, **vars(self))
        write_bytes(path, file.getvalue())


def load_frames(path: Path) -> Frames:
    """Read what `Frames.save` wrote.

    Raises:
        DataError: the file is damaged or holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return Frames(
                images=file["images"],
                steps=file["steps"],
                successes=file["successes"],
                seed=int(file["seed"]),
                reason=str(file["reason"]),
            )
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as frames: {error}") from error
