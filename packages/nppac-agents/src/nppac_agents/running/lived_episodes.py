"""The episodes that a run learned from, as demonstrations."""

from __future__ import annotations

import contextlib

import numpy as np
from nppac_envs import Demonstrations
from nppac_envs.checked import make_checked
from nppac_envs.foreign.adapted import action_bounds
from nppac_priors.errors import ConfigError

from nppac_agents.data.replay import TensorReplay
from nppac_agents.running.run_directory import RunDirectory
from nppac_agents.running.run_policy import last_replay, load_agent


def lived_episodes(run_dir: RunDirectory) -> Demonstrations:
    """The whole episodes in the replay of the latest checkpoint, as they were lived through.

    Environment after environment, each from its oldest to its newest, with actions clipped as the
    environment saw them. What a full replay has overwritten is not among them; what staggered
    resets or a resume cut short is, as truncated. Whether a step was a success is not in a replay:
    rewards of two values say so.

    Raises:
        ConfigError: there is no checkpoint, no interaction, or no whole episode.
    """
    config = run_dir.config()
    if config.env is None:
        raise ConfigError(
            f"{run_dir.path}: its experiment names no environment, so that it has no episodes"
        )
    replay = last_replay(run_dir, load_agent(run_dir, "last"))
    lived = replay.whole_episodes()
    if not len(lived.rewards):
        raise ConfigError(f"{run_dir.path}: no whole episode is in its replay; {_why(replay)}")
    with contextlib.closing(make_checked(config.env)) as env:
        bounds = action_bounds(env)
    last = np.flatnonzero(lived.terminated.maximum(lived.truncated).numpy())
    terminations = lived.terminated.numpy()[last] > 0
    return Demonstrations(
        lived.states.numpy(),
        lived.actions.clamp(-1.0, 1.0).numpy(),
        lived.next_states.numpy()[last],
        np.diff(last + 1, prepend=0),
        lived.rewards.numpy(),
        terminations=terminations if terminations.any() else None,
        source=f"{run_dir.path}, its replay",
        action_bounds=bounds,
    )


def _why(replay: TensorReplay) -> str:
    """Why no whole episode is in it, and what to do."""
    if len(replay) == 0:
        return "it has not interacted"
    if len(replay) == replay.maxsize:
        return "it is full, and an episode does not fit: raise training.replay_capacity"
    return "let it interact for longer"
