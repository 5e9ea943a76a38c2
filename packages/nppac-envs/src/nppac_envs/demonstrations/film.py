"""Frames as a film: GIF, or MP4 where an encoder is installed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nppac_envs.errors import ConfigError, DataError


def require_film(path: Path) -> None:
    """Refuse, before anything is played, a film that could not be written.

    Raises:
        ConfigError: The suffix is neither .gif nor .mp4, or MP4 has no encoder.
    """
    if path.suffix not in (".gif", ".mp4"):
        raise ConfigError(f"{path}: a video must end in .gif or .mp4")
    if path.suffix == ".gif":
        return
    try:
        import imageio_ffmpeg  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            'MP4 needs an encoder: pip install "nppac-envs[video]", or write a .gif'
        ) from error


def write_film(frames: Sequence[NDArray[np.uint8]], path: Path, frames_per_second: float) -> None:
    """Write frames (H, W, 3) of equal and even size as one file, at once or not at all.

    Raises:
        DataError: The file cannot be written.
    """
    import imageio.v2 as imageio

    try:
        with tempfile.TemporaryDirectory(prefix=".video-", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            if path.suffix == ".gif":
                imageio.mimwrite(temporary, list(frames), duration=1000 / frames_per_second, loop=0)
            else:
                imageio.mimwrite(
                    temporary, list(frames), fps=frames_per_second, macro_block_size=2, quality=7
                )
            os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from error
