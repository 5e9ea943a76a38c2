"""Pictures of evaluation episodes: environments that draw, and the report's frames of one."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from nppac_priors.errors import ConfigError
from numpy.typing import NDArray

from nppac_agents.reporting.frames import Frames

if TYPE_CHECKING:
    import gymnasium
    from nppac_envs.config import EnvConfig

Act = Callable[[NDArray[Any]], NDArray[Any]]
"""States (1, S) to actions (1, A); entries outside [-1, 1] are clipped."""

WIDTH = 320


class CannotDrawError(ConfigError):
    """An environment that cannot draw, or not on this machine."""


logger = logging.getLogger(__name__)


def record_frames(env_config: EnvConfig, act: Act, *, seed: int, n_frames: int) -> Frames:
    """Plays one evaluation episode and draws evenly spaced frames of it, its last state included.

    The episode is played twice, first to learn its length; `act` has to be deterministic.

    Args:
        env_config: of the environment.
        act: the policy.
        seed: of the reset.
        n_frames: at least 1; fewer come back of an episode with fewer steps.
    """
    try:
        env = drawable(env_config, seed)
    except CannotDrawError as error:
        logger.warning("no frames for the report (logging.frames 0 asks for none): %s", error)
        return Frames.none(seed, str(error))
    try:
        successes, _ = _play(env, act, seed, drawn=frozenset())
        drawn = np.unique(np.linspace(0, len(successes), n_frames).round().astype(np.int64))
        successes, images = _play(env, act, seed, drawn=frozenset(drawn.tolist()))
    finally:
        env.close()
    steps = np.array(sorted(images), dtype=np.int64)
    pictures = np.stack([images[step] for step in steps.tolist()])
    return Frames(pictures, steps, np.array(successes, dtype=bool), seed)


def drawable(env_config: EnvConfig, seed: int) -> gymnasium.Env[Any, Any]:
    """The environment of a config, which has drawn the state that a seed resets it to.

    Raises:
        CannotDrawError: it cannot here; one line says why.
    """
    from nppac_envs.checked import make_checked

    choose_renderer()
    env = None
    try:
        env = make_checked(env_config, render_mode="rgb_array")
        env.reset(seed=seed)
        env.render()
    except Exception as error:
        if env is not None:
            env.close()
        reason = f"cannot draw {env_config.shown_as}: {_first_line(error)}"
        raise CannotDrawError(reason) from error
    return env


def choose_renderer() -> None:
    """Set `MUJOCO_GL` on Linux without a display, unless it is set or no library is there.

    Call it before the first picture is drawn (and, for renderers that look at import, before mujoco
    is imported).
    """
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform != "linux" or display or "MUJOCO_GL" in os.environ:
        return
    for renderer, library in (("egl", "libEGL.so.1"), ("osmesa", "libOSMesa.so.8")):
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        os.environ["MUJOCO_GL"] = renderer
        return


def shrink(image: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """An image (H, W, 3) at most `width` wide, by area averaging; smaller ones stay as they are."""
    height, old_width = image.shape[:2]
    if old_width <= width:
        return np.ascontiguousarray(image)
    new_height = max(1, round(height * width / old_width))
    vertical, horizontal = _area_weights(height, new_height), _area_weights(old_width, width)
    mean = np.einsum(
        "ih,hwc,jw->ijc", vertical, image.astype(np.float64), horizontal, optimize=True
    )
    return mean.round().astype(np.uint8)


def _area_weights(old: int, new: int) -> NDArray[np.float64]:
    """(new, old): how much each old pixel counts in each new one, by overlap; rows sum to 1."""
    edges = np.linspace(0, old, new + 1)[:, None]
    pixels = np.arange(old)[None, :]
    overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.clip(overlap, 0, None) * (new / old)


def episode(env: gymnasium.Env[Any, Any], act: Act, seed: int) -> Iterator[list[bool]]:
    """Plays one episode; after the reset and each step, the success flags of all steps so far."""
    state, _ = env.reset(seed=seed)
    successes: list[bool] = []
    ended = False
    yield successes
    while not ended:
        action = np.clip(act(np.asarray(state)[None])[0], -1, 1)
        state, _, terminated, truncated, info = env.step(action)
        successes.append(bool(info.get("success", False)))
        ended = terminated or truncated
        yield successes


def _play(
    env: gymnasium.Env[Any, Any], act: Act, seed: int, drawn: frozenset[int]
) -> tuple[list[bool], dict[int, NDArray[np.uint8]]]:
    """One episode: the success flag after each step, and the frames at the steps in `drawn`."""
    successes: list[bool] = []
    images: dict[int, NDArray[np.uint8]] = {}
    for successes in episode(env, act, seed):
        if len(successes) in drawn:
            images[len(successes)] = shrink(np.asarray(env.render(), dtype=np.uint8), WIDTH)
    return successes, images


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
