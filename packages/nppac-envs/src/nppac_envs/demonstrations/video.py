"""`write_video`: chosen episodes as the simulator draws them, in a GIF or MP4 file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nppac_envs.config import EnvConfig
from nppac_envs.demonstrations.dataset import Demonstrations
from nppac_envs.demonstrations.film import require_film, write_film
from nppac_envs.demonstrations.resimulation import replay
from nppac_envs.errors import ConfigError

_STEPS_PER_SECOND = 100
_BORDER = {None: (128, 128, 128), True: (46, 139, 87), False: (200, 60, 50)}
_BORDER_WIDTH = 6


def write_video(
    demonstrations: Demonstrations,
    config: EnvConfig,
    episodes: Sequence[int],
    path: Path,
    *,
    every: int = 4,
    size: int = 320,
    first_seed: int = 0,
) -> int:
    """Play the actions of episodes in the simulator and write what it draws.

    Each frame has a border: green where the episode was recorded as a success, red where as a
    failure, grey where neither.

    Args:
        demonstrations: The set.
        config: The task.
        episodes: Numbers of episodes, in the order of the film.
        path: A .gif or .mp4 file.
        every: Draw every so many steps; the film runs in real time for tasks of 100 steps a second.
        size: Width and height in pixels, 16 to 1920; MP4 needs an even number.
        first_seed: As `replay` takes it.

    Returns:
        The number of frames.

    Raises:
        ConfigError: The suffix is another, MP4 has no encoder, nothing can be drawn on this
            machine, or episodes of the task cannot be simulated again.
        DataError: The file cannot be written.
    """
    require_film(path)
    if every < 1 or not 16 <= size <= 1920 or size % 2:
        raise ConfigError("every must be 1 or more and size an even number from 16 to 1920")
    frames = _frames(demonstrations, config, episodes, every, size, first_seed)
    write_film(frames, path, _STEPS_PER_SECOND / every)
    return len(frames)


def _frames(
    demonstrations: Demonstrations,
    config: EnvConfig,
    episodes: Sequence[int],
    every: int,
    size: int,
    first_seed: int,
) -> list[NDArray[np.uint8]]:
    frames: list[NDArray[np.uint8]] = []
    drawn: list[NDArray[np.uint8]] = []
    step = 0

    def draw(env: Any) -> None:
        nonlocal step
        if step % every == 0:
            drawn.append(_scaled(env.render(), size))
        step += 1

    for episode in episodes:
        step = 0
        for result in replay(demonstrations, config, [episode], draw, first_seed=first_seed):
            frames += [_bordered(frame, _BORDER[result.recorded]) for frame in drawn]
        drawn.clear()
    return frames


def _scaled(frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.fromarray(frame).resize((size, size), Image.Resampling.BILINEAR))


def _bordered(frame: NDArray[np.uint8], color: tuple[int, int, int]) -> NDArray[np.uint8]:
    framed = np.empty_like(frame)
    framed[:] = color
    inside = slice(_BORDER_WIDTH, -_BORDER_WIDTH)
    framed[inside, inside] = frame[inside, inside]
    return framed
